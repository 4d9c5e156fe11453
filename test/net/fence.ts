import { expect } from 'chai'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NetworkEvent } from '../../src/contract/index.ts'
import { type Ran, run, type World } from '../support/world.ts'

export const tool = join(import.meta.dirname, `../../src/emulation/native/prebuilt/linux-${process.arch}/amux-net`)

/** `allow good.test` and so on, as the core compiles it. */
export function policy(...rules: readonly string[]): string {
  return ['amux-policy 1', `document ${JSON.stringify({ rules: rules.map((rule) => ({ domain: rule.split(' ')[1], action: rule.split(' ')[0] })) })}`, ...rules, ''].join('\n')
}

/** How a program learns that its connection was cut: destroyed, or reset because it just sent. */
export const CUT = /^ECONN(ABORTED|RESET)$/

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Until it is so, or the time is up: then what it was last. */
export async function until<T>(look: () => T | Promise<T>, good: (value: T) => boolean, limit = 8000): Promise<T> {
  for (const end = Date.now() + limit; ; await pause(15)) {
    const value = await look()
    if (good(value) || Date.now() > end) return value
  }
}

export interface ServeOptions {
  readonly pid: number
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What stands before the tool: another user, say. */
  readonly wrap?: readonly string[]
}

/** A server of amux-net on a world's host, and its directory. */
export class Fence {
  readonly world: World
  readonly root = mkdtempSync(join(tmpdir(), 'amux-fence-'))
  readonly dir = join(this.root, 'network')
  /** A copy that others than root may run as well. */
  readonly tool = join(this.root, 'amux-net')
  child: ChildProcess | undefined
  stderr = ''

  constructor(world: World) {
    this.world = world
    copyFileSync(tool, this.tool)
  }

  /** `ready`, or the exit status when it ended before. */
  async serve({ pid, args = [], env = {}, wrap = [] }: ServeOptions): Promise<'ready' | number | null> {
    const argv = [...wrap, this.tool, 'serve', this.dir, '--netns-of', String(pid), '--ready-fd', '3', '--exit-fd', '4', ...args]
    const child = this.world.spawn(this.world.host, argv, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    this.child = child
    this.stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    return new Promise((resolve) => {
      child.stdio[3]?.once('data', () => resolve('ready'))
      child.once('close', (status) => resolve(status))
    })
  }

  async stop(): Promise<number | null> {
    const child = this.child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    ;(child.stdio[4] as { destroy?: () => void } | null)?.destroy?.()
    return ended
  }

  get worker(): number {
    return Number(spawnSync('pgrep', ['-P', String(this.child?.pid)], { encoding: 'utf8' }).stdout.split('\n')[0])
  }

  /** It matters not in which network it runs. */
  apply(text: string): Promise<Ran> {
    return run([this.tool, 'apply', this.dir], text)
  }

  /** Its answer must be that it is in force. */
  async set(...rules: readonly string[]): Promise<number> {
    const { stdout } = await this.apply(policy(...rules))
    expect(stdout).to.match(/^applied\t\{"cut":\d+\}\n$/)
    return (JSON.parse(stdout.split('\t')[1] ?? '') as { cut: number }).cut
  }

  async log(...flags: readonly string[]): Promise<NetworkEvent[]> {
    const { stdout } = await this.world.run(this.world.host, [this.tool, 'log', this.dir, ...flags])
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as NetworkEvent)
  }

  file(): string {
    return readFileSync(join(this.dir, 'policy'), 'utf8')
  }

  store(text: string): void {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 })
    writeFileSync(join(this.dir, 'policy'), text, { mode: 0o600 })
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.root, { recursive: true, force: true })
  }
}
