import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Computer, ConnectContext, CreateOptions, ExitStatus, GuestKit, Process, Provider, SpawnOptions } from '../../../src/contract/index.ts'
import { policyText } from '../../../src/emulation/network/text.ts'
import { testKit } from '../../../src/testkit/index.ts'
import { descriptor } from '../src/register.ts'
import { layout } from '../src/layout.ts'
import { running } from '../src/status.ts'

export const asRoot = process.getuid?.() === 0
export const tier = asRoot ? 'root' : 'user'

/** The real guest; this machine's Node serves as it is, without a copy. */
export async function kit(): Promise<GuestKit> {
  const built = await testKit()
  return { init: (arch) => built.init(arch), tools: (arch) => built.tools(arch), scripts: built.scripts, npm: built.npm, node: async () => process.execPath, version: built.version, toolsVersion: built.toolsVersion }
}

export interface Bench {
  readonly provider: Provider
  readonly dataDir: string
  readonly progress: string[]
  create(options?: Partial<CreateOptions>): Promise<Computer>
  name(): string
  end(): Promise<void>
}

let count = 0

/** A provider with a data directory of its own; `end` leaves nothing of it. */
export async function bench(dataDir?: string, change: Partial<GuestKit> = {}): Promise<Bench> {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'amux-local-')))
  const progress: string[] = []
  const context: ConnectContext = { settings: {}, dataDir: directory, progress: (message) => progress.push(message), debug: () => {}, guest: { ...(await kit()), ...change }, policyText }
  const provider = await descriptor.connect(context)
  const name = () => `test-${process.pid}-${++count}`
  return {
    provider,
    dataDir: directory,
    progress,
    name,
    create: (options) => provider.create({ name: name(), labels: {}, ...options }),
    async end() {
      const names: string[] = []
      for await (const info of provider.list()) names.push(info.name)
      // Each for itself: one that fails leaves no other behind.
      const ended = await Promise.allSettled(names.map(async (name) => (await provider.get(name)).delete()))
      if (dataDir === undefined) await rm(directory, { recursive: true, force: true })
      for (const one of ended) if (one.status === 'rejected') throw one.reason
    },
  }
}

export interface Result {
  readonly exit: ExitStatus
  readonly stdout: string
  readonly stderr: string
}

export async function finish(program: Process): Promise<Result> {
  const [exit, stdout, stderr] = await Promise.all([program.exit, text(program.stdout), text(program.stderr)])
  return { exit, stdout, stderr }
}

export async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** A shell script's outcome, whatever it is. */
export async function attempt(computer: Computer, script: string, options?: SpawnOptions): Promise<Result> {
  const program = await computer.spawn(['sh', '-c', script], options)
  await program.stdin.end()
  return finish(program)
}

/** The trimmed output of a shell script that must succeed. */
export async function sh(computer: Computer, script: string, options?: SpawnOptions): Promise<string> {
  const { exit, stdout, stderr } = await attempt(computer, script, options)
  expect(exit, `${script}\n${stdout}${stderr}`).to.deep.equal({ code: 0 })
  return stdout.trim()
}

export async function failure(work: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  const error: unknown = await work.then(
    (value) => expect.fail(`it should have failed, and gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(Error)
  // Checked just above.
  return error as Error & { code?: string; hint?: string }
}

export async function until(what: string, check: () => boolean | Promise<boolean>, limit = 15_000): Promise<void> {
  for (const give = Date.now() + limit; !(await check()); await delay(10)) if (Date.now() > give) expect.fail(`not within ${limit} ms: ${what}`)
}

/** The processes of a running computer, as this machine sees them. */
export function processes(bench: Bench, computer: Computer) {
  const now = running(layout(bench.dataDir, computer.name))
  if (now === undefined) throw new Error(`${computer.name} does not run`)
  return { keeper: now.keeper.pid, first: now.first.pid }
}

/** Whether anything of this machine still has that text in its command line. */
export function inCommandLine(pid: string, wanted: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(wanted)
  } catch {
    return false
  }
}
