import { expect } from 'chai'
import { describe, it } from 'mocha'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, linkSync, lutimesSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { quickListing as listing } from './lister.ts'
import { Place, quickDirectory } from './place.ts'

/** Two states that differ in every way a restore has to deal with. Every time in them is set, so that each is always the same. */
function makeBefore(home: string): void {
  for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true })
  const at = (path: string) => join(home, path)
  for (const path of ['d', 'd/e', 'gone']) mkdirSync(at(path))
  for (const [path, content] of [['d/f1', '1'], ['d/f2', '2'], ['d/f3', '3'], ['gone/x', 'x'], ['large', 'a'.repeat(1_500_000)], ['swap', 's']] as const) writeFileSync(at(path), content)
  linkSync(at('d/f1'), at('d/hard'))
  symlinkSync('d', at('link'))
  chmodSync(at('d/f2'), 0o4711)
  setTimes(home, 1_000_000_000)
}

function makeAfter(home: string): void {
  const at = (path: string) => join(home, path)
  for (const path of ['gone', 'link', 'd/hard', 'swap']) rmSync(at(path), { recursive: true })
  for (const path of ['link', 'swap']) mkdirSync(at(path))
  for (const [path, content] of [['link/in', 'in'], ['d/f1', 'changed'], ['d/new', 'n'], ['large', 'b'.repeat(1_500_001)]] as const) writeFileSync(at(path), content)
  linkSync(at('d/new'), at('d/new2'))
  chmodSync(at('d/f2'), 0o600)
  setTimes(home, 1_100_000_000)
}

function setTimes(home: string, seconds: number): void {
  for (const name of readdirSync(home, { recursive: true, encoding: 'utf8' })) lutimesSync(join(home, name), seconds, seconds)
  lutimesSync(home, seconds, seconds)
}

function change({ place }: Crashing): void {
  writeFileSync(join(place.home, 'd/f1'), randomBytes(5000))
  writeFileSync(join(place.home, 'large'), randomBytes(2_000_000))
}

/** Every step is tried at its first pass and at a later one. */
const TIMES = [1, 3]

class Crashing {
  readonly place = new Place(quickDirectory())
  readonly before: string
  readonly after: string
  readonly target: string

  constructor() {
    makeBefore(this.place.home)
    this.before = listing(this.place.home)
    this.target = this.place.create()
    makeAfter(this.place.home)
    this.after = listing(this.place.home)
  }

  /** Steps that this command does not pass. */
  readonly unreached = new Set<string>()

  /** True when the process did die there. What is left must be mended by the tool itself. */
  dies(args: readonly string[], fault: string, input?: Buffer): boolean {
    const died = this.place.try(args, { fault, ...(input === undefined ? {} : { input }) })
    expect(died.failure, fault).to.equal(undefined)
    if (died.signal !== 'SIGKILL') this.unreached.add(fault.split(':')[0] ?? '')
    return died.signal === 'SIGKILL'
  }

  mended(): void {
    expect(this.place.try(['recover']).stdout.toString()).to.match(/^(clean|recovered\t)/)
    expect(this.place.try(['verify']).stdout.toString()).to.equal('sound\n')
    expect(this.place.try(['pending']).stdout.toString()).to.equal('clean\n')
  }

  [Symbol.dispose](): void {
    this.place[Symbol.dispose]()
  }
}

const steps = new Place()
const STEPS = steps.try([`steps`]).stdout.toString().trim().split('\n')
steps[Symbol.dispose]()

describe('amux-disk, killed', function () {
  this.timeout(120_000)
  it('names its steps', () => {
    expect(STEPS).to.include.members(['publish', 'intent', 'rename', 'punch'])
  })

  it('while it creates: the point is there or not, and the older ones are sound', () => {
    using crash = new Crashing()
    let deaths = 0
    for (const fault of faults()) {
      if (crash.unreached.has(fault.split(':')[0] ?? '')) continue
      change(crash)
      const now = listing(crash.place.home)
      const had = crash.place.ids()
      if (!crash.dies(['create', 'v', '{}'], fault)) continue
      deaths++
      crash.mended()
      const made = crash.place.ids().filter((id) => !had.includes(id))
      expect(made.length, fault).to.be.at.most(1)
      expect(listing(crash.place.home), fault).to.equal(now)
      if (made[0] !== undefined) expect(crash.place.restore(made[0]), fault).to.include({ changed: 0 })
    }
    expect(deaths).to.be.greaterThan(8)
    crash.place.restore(crash.target)
    expect(listing(crash.place.home)).to.equal(crash.before)
  })

  it('while it restores: recover brings the target or leaves the old state, never a mixture', () => {
    using crash = new Crashing()
    let deaths = 0
    for (const fault of faults()) {
      if (crash.unreached.has(fault.split(':')[0] ?? '')) continue
      if (listing(crash.place.home) !== crash.after) {
        makeBefore(crash.place.home)
        makeAfter(crash.place.home)
        expect(listing(crash.place.home)).to.equal(crash.after)
      }
      if (!crash.dies(['restore', crash.target, '{}'], fault)) continue
      deaths++
      const intended = crash.place.try(['pending']).stdout.toString() !== 'clean\n'
      crash.mended()
      expect(listing(crash.place.home), `${fault} ${intended}`).to.equal(intended ? crash.before : crash.after)
    }
    expect(deaths).to.be.greaterThan(20)
  })

  it('while it recovers: the next one goes on', () => {
    using crash = new Crashing()
    let deaths = 0
    for (const fault of faults()) {
      if (crash.unreached.has(fault.split(':')[0] ?? '')) continue
      makeBefore(crash.place.home)
      makeAfter(crash.place.home)
      if (!crash.dies(['restore', crash.target, '{}'], 'rename:4:kill')) throw new Error('it lived')
      if (!crash.dies(['recover'], fault)) continue
      deaths++
      crash.mended()
      expect(listing(crash.place.home), fault).to.equal(crash.before)
    }
    expect(deaths).to.be.greaterThan(10)
  })

  it('while it removes: the point is there whole or gone, with its space', () => {
    using crash = new Crashing()
    crash.place.run(['rm', crash.target])
    makeBefore(crash.place.home)
    const kept = crash.place.create()
    let deaths = 0
    for (const fault of faults(['withdraw', 'live', 'punch', 'withdrawn', 'sweep'])) {
      change(crash)
      const doomed = crash.place.create()
      if (!crash.dies(['rm', doomed], fault)) continue
      deaths++
      crash.mended()
      if (crash.place.ids().includes(doomed)) {
        expect(crash.place.restore(doomed), fault).to.include({ changed: 0 })
        crash.place.run(['rm', doomed])
      }
      expect(crash.place.ids()).to.deep.equal([kept])
      expect(crash.place.packs(), fault).to.have.length(2)
    }
    expect(deaths).to.be.greaterThan(3)
    crash.place.restore(kept)
    expect(listing(crash.place.home)).to.equal(crash.before)
  })

  it('while it imports: nothing or everything', () => {
    using crash = new Crashing()
    const tar = crash.place.try(['export', crash.target]).stdout
    let deaths = 0
    for (const fault of faults(['pack-create', 'pack-write', 'pack-sync', 'point-write', 'point-sync', 'next', 'publish'])) {
      const had = crash.place.ids()
      if (!crash.dies(['import', '{}'], fault, tar)) continue
      deaths++
      crash.mended()
      for (const id of crash.place.ids().filter((id) => !had.includes(id))) {
        crash.place.restore(id)
        expect(listing(crash.place.home), fault).to.equal(crash.before)
      }
    }
    expect(deaths).to.be.greaterThan(5)
  })

  it('at fifty random moments of a restore', async () => {
    using crash = new Crashing()
    const states = [
      { id: crash.place.create(), listing: crash.after },
      { id: crash.target, listing: crash.before },
    ] as const
    let intents = 0
    for (let round = 0; round < 50; round++) {
      const from = states.find((state) => state.listing === listing(crash.place.home))
      const to = states.find((state) => state !== from)
      if (from === undefined || to === undefined) throw new Error(`a mixture after round ${round}`)
      const child = crash.place.start(['restore', to.id, '{}'])
      child.stdout?.resume()
      child.stdin?.end(crash.place.request())
      const ended = once(child, 'exit')
      // Every other time not before it has begun to change the tree.
      if (round % 2 === 1) {
        while (child.exitCode === null && !existsSync(join(crash.place.store, 'intent'))) await setImmediate()
      }
      setTimeout(() => child.kill('SIGKILL'), Math.random() * 25)
      const [status] = (await ended) as [number | null]
      const intended = crash.place.try(['pending']).stdout.toString() !== 'clean\n'
      crash.place.run(['recover'])
      const now = listing(crash.place.home)
      if (intended || status === 0) expect(now, `round ${round}`).to.equal(to.listing)
      if (intended) intents++
    }
    crash.mended()
    expect(intents).to.be.greaterThan(0)
  })
})

function faults(only: readonly string[] = STEPS): string[] {
  return only.flatMap((step) => TIMES.map((time) => `${step}:${time}:kill`))
}
