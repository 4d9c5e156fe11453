import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ByteSource, ExitStatus, Process } from '../../src/contract/index.ts'
import { type Maker, type MakeOptions, make } from '../../src/emulation/checkpoints/create.ts'
import { metaText } from '../../src/emulation/checkpoints/info.ts'
import { points } from '../../src/emulation/checkpoints/points.ts'
import { type Disk, STORE } from '../../src/emulation/checkpoints/store.ts'
import { startProcess } from '../../src/testkit/process/process.ts'
import { AMUX_DISK, Place } from './place.ts'

/** The real engine on a real tree; `lose` is how many times its last word gets lost, as when it is killed just before. */
class Losing {
  readonly #place: Place
  lose = 0
  runs = 0
  /** Whether it was killed before it made anything, instead. */
  early = false

  constructor(place: Place) {
    this.#place = place
  }

  get maker(): Maker {
    const computer: Disk = {
      name: 'c',
      info: () => Promise.reject(new Error('not asked')),
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      disk: () => Promise.resolve([{ name: 'home', path: this.#place.home, at: '/home/amux' }]),
      aside: ([, ...args]) => this.#start(args.map((arg) => (arg === STORE ? this.#place.store : arg))),
    }
    return { computer, progress: () => undefined, debug: () => undefined, hold: () => Promise.resolve() }
  }

  async #start(args: readonly string[]): Promise<Process> {
    const process = await startProcess([AMUX_DISK, ...args], { cwd: '/', env: {}, signal: undefined })
    if (args[0] !== 'create') return process
    this.runs++
    if (this.lose-- <= 0) return process
    if (this.early) await process.kill('SIGKILL')
    const exit = process.exit.then((): ExitStatus => ({ signal: 'SIGKILL' }))
    return { ...process, stdout: withoutLast(process.stdout), exit }
  }
}

async function* withoutLast(source: ByteSource): ByteSource {
  let text = ''
  for await (const chunk of source) text += Buffer.from(chunk).toString()
  yield Buffer.from(text.replace(/^done.*\n/m, ''))
}

describe('a checkpoint whose maker is killed', () => {
  let place: Place
  let losing: Losing
  beforeEach(() => {
    place = new Place()
    losing = new Losing(place)
    writeFileSync(join(place.home, 'file'), 'content')
  })
  afterEach(() => place[Symbol.dispose]())

  const options: MakeOptions = { series: 'v', meta: metaText('manual', 'mine'), still: false, workspace: true }

  it('after its last write is there once, and is told as made', async () => {
    await make(losing.maker, options)
    losing.lose = 1
    const seen: string[][] = []
    const made = await make(losing.maker, { ...options, onPoints: (all) => seen.push(all.map(({ info }) => info.id)) })
    expect(made).to.include({ id: 'v2', message: 'mine', kind: 'manual' })
    expect(seen).to.deep.equal([['v1']])
    expect((await points(losing.maker.computer)).map(({ info }) => info.id)).to.deep.equal(['v2', 'v1'])
    expect(losing.runs).to.equal(2)
  })

  it('before it is made anew', async () => {
    losing.lose = 2
    losing.early = true
    expect(await make(losing.maker, options)).to.include({ id: 'v1' })
    expect((await points(losing.maker.computer)).length).to.equal(1)
    expect(losing.runs).to.equal(3)
  })

  it('again and again fails, and says why', async () => {
    losing.lose = 3
    losing.early = true
    const error = await make(losing.maker, options).then(() => expect.fail('it should have failed'), (reason: unknown) => reason)
    expect(error).to.have.property('code', 'unavailable')
    expect(await points(losing.maker.computer)).to.deep.equal([])
  })
})
