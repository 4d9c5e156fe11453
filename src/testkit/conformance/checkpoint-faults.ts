import assert from 'node:assert/strict'
import type { AsideOptions, Computer, EquippedComputer, PreparedAside, Process } from '../../contract/index.ts'
import type { Bench } from './bench.ts'
import { picture } from './checkpoints.ts'
import { scratch, sh } from './helpers.ts'
import type { Topic } from './topic.ts'

/** The same computer; what works beside it is killed so many milliseconds after it was started, or not any more. */
function mortal(raw: Computer, lifetime: { ms: number }): Computer {
  const limited = (process: Process): Process => {
    if (Number.isFinite(lifetime.ms)) setTimeout(() => void process.kill('SIGKILL').catch(() => {}), lifetime.ms).unref()
    return process
  }
  const aside = async (argv: readonly string[], options?: AsideOptions) => limited(await (raw.aside as NonNullable<Computer['aside']>)(argv, options))
  const prepareAside = async (argv: readonly string[], options?: AsideOptions): Promise<PreparedAside> => {
    const { begin, leave } = await (raw.prepareAside as NonNullable<Computer['prepareAside']>)(argv, options)
    return { begin: async () => limited(await begin()), leave }
  }
  return new Proxy(raw, {
    get(target, key) {
      if (key === 'aside') return aside
      if (key === 'prepareAside') return raw.prepareAside && prepareAside
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

interface Trial {
  readonly name: string
  readonly computer: EquippedComputer
  readonly dir: string
  readonly lifetime: { ms: number }
}

async function trial(bench: Bench): Promise<Trial | undefined> {
  const name = bench.name()
  await bench.create({ name })
  const raw = await (await bench.provider()).get(name)
  // What a provider makes by itself is killed by nobody from here.
  if (raw.aside === undefined) return undefined
  const lifetime = { ms: Number.POSITIVE_INFINITY }
  const computer = await bench.equip(mortal(raw, lifetime))
  const dir = await scratch(computer)
  await sh(computer, 'cd "$1"; for n in $(seq 300); do echo "$n" > "f$n"; done; head -c 3000000 /dev/urandom > big', dir)
  return { name, computer, dir, lifetime }
}

/** Each a test of its own, so that none takes long. */
const parts = ['early', 'in the middle', 'late'] as const
const MOMENTS = 3

/** Moments in that part of what takes about so long. */
function moments(part: number, length: number): number[] {
  return Array.from({ length: MOMENTS }, (_, index) => 1 + (length * (part + index / MOMENTS)) / parts.length)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function killedCreate(bench: Bench, part: number): Promise<void> {
  const one = await trial(bench)
  if (!one) return
  const { computer, dir, lifetime } = one
  const length = await timed(() => computer.checkpoints.create())
  for (const ms of moments(part, length)) {
    await sh(computer, 'cd "$1"; for n in $(seq 100); do echo "$2 $n" > "f$n"; done', dir, String(ms))
    const before = (await computer.checkpoints.list()).length
    lifetime.ms = ms
    const made = await computer.checkpoints.create().then(() => true, () => false)
    lifetime.ms = Number.POSITIVE_INFINITY
    const points = await computer.checkpoints.list()
    assert.ok(points.length === before + 1 || (!made && points.length === before), `${points.length} after ${before}`)
    assert.equal(await sh(computer, 'echo alive'), 'alive', 'programs stand still for ever')
  }
  const last = await picture(computer, dir)
  const { id } = await computer.checkpoints.create()
  await sh(computer, 'rm -rf "$1"/*', dir)
  await computer.checkpoints.restore(id)
  assert.equal(await picture(computer, dir), last)
  await computer.delete()
}

async function killedRestore(bench: Bench, part: number): Promise<void> {
  const one = await trial(bench)
  if (!one) return
  const { computer, dir, lifetime } = one
  const old = await picture(computer, dir)
  const { id } = await computer.checkpoints.create()
  await sh(computer, 'cd "$1"; for n in $(seq 2 300); do echo changed > "f$n"; done; rm f1 big; mkdir f1; echo x > f1/x', dir)
  const present = await picture(computer, dir)
  const other = await computer.checkpoints.create()
  const length = await timed(() => computer.checkpoints.restore(id))
  await computer.checkpoints.restore(other.id)
  for (const ms of moments(part, length)) {
    lifetime.ms = ms
    const restored = await computer.checkpoints.restore(id).then(() => true, () => false)
    lifetime.ms = Number.POSITIVE_INFINITY
    await computer.start()
    const now = await picture(computer, dir)
    assert.ok(now === old || (!restored && now === present), `a mixture after ${ms} of ${length} ms`)
    await computer.checkpoints.restore(other.id)
    assert.equal(await picture(computer, dir), present)
  }
  await computer.delete()
}

function each(name: string, test: (bench: Bench, part: number) => Promise<void>): Topic['tests'] {
  return Object.fromEntries(parts.map((when, part) => [name.replace('%', when), (bench: Bench) => test(bench, part)]))
}

export const checkpointFaults: Topic = {
  name: 'checkpoints under faults',
  needs: 'checkpoints',
  tests: {
    ...each('a create that is killed % leaves all or nothing', killedCreate),
    ...each('a restore that is killed % is all or nothing, and the next start finishes it', killedRestore),
  },
}
