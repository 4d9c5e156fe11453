import assert from 'node:assert/strict'
import type { CapabilityId, Fidelity } from '../../contract/index.ts'
import { archive } from './archive.ts'
import { Bench, type BenchOptions } from './bench.ts'
import { checkpointFaults } from './checkpoint-faults.ts'
import { checkpoints } from './checkpoints.ts'
import { carry } from './carry.ts'
import { fileTrees } from './file-trees.ts'
import { files } from './files.ts'
import { rejects } from './helpers.ts'
import { fork } from './fork.ts'
import { honesty } from './honesty.ts'
import { idle } from './idle.ts'
import { idleStop } from './idle-stop.ts'
import { lifecycle } from './lifecycle.ts'
import { list } from './list.ts'
import { logs } from './logs.ts'
import { network } from './network.ts'
import { ports } from './ports.ts'
import { type ConformanceReport, Tally } from './report.ts'
import { screens } from './screens.ts'
import { services } from './services.ts'
import { sessions } from './sessions.ts'
import { spawn } from './spawn.ts'
import { streams } from './streams.ts'
import type { Topic } from './topic.ts'
import { tty } from './tty.ts'
import { tunnel } from './tunnel.ts'

const topics: readonly Topic[] = [honesty, lifecycle, list, spawn, streams, tty, sessions, screens, logs, files, fileTrees, archive, tunnel, ports, idle, idleStop, checkpoints, checkpointFaults, carry, fork, network, services]

export type { ConformanceReport } from './report.ts'

/** Any runner's: mocha's `it`, node's `test`, … They run in order, one at a time. */
export interface Runner {
  test(name: string, body: () => Promise<void>): unknown
  describe?(name: string, body: () => void): unknown
  /** Runs at the end whatever happened, also where a runner gives up at the first failure. */
  after?(body: () => Promise<void>): unknown
}

export interface ConformanceOptions extends BenchOptions {
  /** What `info().details.tier` must say here: a silent downgrade fails. */
  readonly expectTier?: string
  /** The least that a computer must be here, whatever it says of itself. */
  readonly expect?: { readonly [id in CapabilityId]?: Fidelity }
  /** Told as a last test what was found: what it throws fails the run. */
  readonly report?: (report: ConformanceReport) => void | Promise<void>
}

/**
 * Every member and option of the contract, on real computers of that provider. What is tried depends on nothing but what
 * the provider declares and its computers say: where something is unavailable, it must be refused as such.
 */
export function conformance({ test, describe, after }: Runner, options: ConformanceOptions): void {
  const bench = new Bench(options)
  const tally = new Tally()
  const group = (name: string, body: (prefix: string) => void) => void (describe === undefined ? body(`${name}: `) : describe(name, () => body('')))

  group('expectations', (prefix) => {
    test(`${prefix}a computer is what is expected here`, () => expectations(bench, options))
  })
  for (const topic of topics) {
    group(topic.name, (prefix) => {
      for (const [name, body] of Object.entries(topic.tests)) test(`${prefix}${name}`, () => tally.of(topic.needs, () => attempt(topic, body, bench)))
    })
  }
  const { report } = options
  if (report) test('what was found is as reported', async () => report(await found(bench, tally)))
  after?.(() => bench.cleanUp())
  group('afterwards', (prefix) => {
    test(`${prefix}nothing is left`, async () => {
      await bench.cleanUp()
      assert.deepEqual(await bench.left(), [])
    })
  })
}

async function attempt(topic: Topic, body: (bench: Bench) => Promise<void>, bench: Bench): Promise<void> {
  if (topic.needs !== undefined && topic.use !== undefined) {
    const capability = (await bench.capabilities())[topic.needs]
    if (capability.fidelity === 'unavailable') return rejects(topic.use(bench), 'unsupported', 'tool_missing')
  }
  await body(bench)
}

async function found(bench: Bench, { passed, failed }: Tally): Promise<ConformanceReport> {
  const computer = await bench.computer()
  const [info, capabilities] = await Promise.all([computer.info(), computer.capabilities()])
  const tier = info.details?.['tier']
  const { id, title } = bench.descriptor
  return { provider: id, title, ...(tier !== undefined && { tier }), capabilities, passed, failed: [...failed] }
}

async function expectations(bench: Bench, { expectTier, expect = {} }: ConformanceOptions): Promise<void> {
  const computer = await bench.computer()
  if (expectTier !== undefined) assert.equal((await computer.info()).details?.['tier'], expectTier, 'another tier than expected')
  const rank = { unavailable: 0, emulated: 1, native: 2 } as const
  const capabilities = await computer.capabilities()
  for (const [id, least] of Object.entries(expect)) {
    // Its keys are capability ids.
    const { fidelity, note } = capabilities[id as CapabilityId]
    assert.ok(rank[fidelity] >= rank[least], `${id} is ${fidelity} (${note ?? 'no note'}), expected at least ${least}`)
  }
}
