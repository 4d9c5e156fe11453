import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectContext } from '../../../src/contract/index.ts'
import { type Client, spritePath } from './service/client.ts'
import { fail } from './errors.ts'
import { type Facts, learnFacts } from './facts.ts'
import { openExec } from './exec/exec.ts'
import { collect } from './service/collect.ts'

/** What every part of a computer works with. */
export class Sprite {
  readonly name: string
  readonly client: Client
  readonly context: ConnectContext
  /** Variables were given at its creation. */
  readonly hasEnv: boolean
  readonly #leaving = new AbortController()
  #facts: Promise<Facts> | undefined

  constructor(name: string, client: Client, context: ConnectContext, hasEnv: boolean) {
    this.name = name
    this.client = client
    this.context = context
    this.hasEnv = hasEnv
    // However many wait at once.
    setMaxListeners(0, this.#leaving.signal)
  }

  /** Nobody waits any more for what broke to come back. */
  leave(): void {
    this.#leaving.abort()
  }

  /** Before another try to get back. False: nobody waits for it. */
  async pause(ms: number): Promise<boolean> {
    const { signal } = this.#leaving
    await sleep(ms * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }

  /** Of the API, below this sprite: `path('fs', 'read')`. */
  path(...words: readonly string[]): string {
    return spritePath(this.name, ...words)
  }

  /** Who programs run as, and with which environment. Asked once; wakes the sprite. */
  facts(signal?: AbortSignal): Promise<Facts> {
    this.#facts ??= learnFacts(this, signal)
    this.#facts.catch(() => (this.#facts = undefined))
    return this.#facts
  }

  /** What is known without asking. */
  get known(): Promise<Facts> | undefined {
    return this.#facts
  }

  /** A short program to its end: its output is held in memory. `argv` is found on the sprite's own PATH. */
  async run(argv: readonly string[], { input, signal, cwd }: { readonly input?: Uint8Array; readonly signal?: AbortSignal | undefined; readonly cwd?: string } = {}): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }> {
    const program = await openExec(this, argv, { plain: true, ...(signal && { signal }), ...(cwd !== undefined && { cwd }) })
    const all = Promise.all([collect(program.stdout, `the output of ${argv[0]}`), collect(program.stderr, `the output of ${argv[0]}`), program.exit, feed(program, input)])
    const [stdout, stderr, exit] = await all.catch((error: unknown) => {
      // It may go on talking.
      program.leave(error)
      throw error
    })
    return { code: exit.code ?? 128, stdout, stderr }
  }

  /** The same where it must succeed. */
  async text(argv: readonly string[], options?: Parameters<Sprite['run']>[1]): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options)
    if (code === 0) return stdout.toString()
    throw fail('failed', `${argv[0]} failed on ${this.name}: ${stderr.toString().trim() || `status ${code}`}`, { computer: this.name })
  }
}

async function feed({ stdin }: { readonly stdin: { write(chunk: Uint8Array): Promise<void>; end(): Promise<void> } }, input: Uint8Array | undefined): Promise<void> {
  if (input) await stdin.write(input)
  await stdin.end()
}
