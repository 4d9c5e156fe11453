import type { Attachment } from '../contract/index.ts'
import type { DetachScanner } from './detach-keys.ts'
import { inForeground } from './foreground.ts'
import type { Typist } from './input.ts'
import type { Local } from './local.ts'
import { mayPass, type Near, passBy } from './past.ts'
import { within } from './stop.ts'
import type { Over, Visit } from './visit.ts'

/** A program that is over by then, and was typed nothing, needs none. */
const EXPECT_MS = 50
const SUSPEND_MS = 500
const LAST_KEYS_MS = 250
/** Nobody can type while it is tried. */
const AGAIN_MS = 5000
/** Each ends with a lost connection. One that dies ends them all. */
const MOST = 20

interface ShortcutOptions {
  readonly attachment: Attachment
  readonly local: Local
  readonly keys: Typist
  readonly scanner: DetachScanner
  see(chunk: Uint8Array): void
  /** The terminal is no more. */
  gone(): void
}

/** The shortest way between the terminal and a program on this machine: its keys and its screen pass this process by. */
export class Shortcut {
  readonly #near: Near
  readonly #options: ShortcutOptions
  #timer: NodeJS.Timeout | undefined
  #tries = 0
  #notBefore = 0
  #busy = false
  #ended = false
  #lent = false
  #paused = false
  #visit: Visit | undefined
  #over: Promise<unknown> = Promise.resolve()

  private constructor(near: Near, options: ShortcutOptions) {
    this.#near = near
    this.#options = options
  }

  /** Undefined where there can be none. */
  static of(options: ShortcutOptions): Shortcut | undefined {
    const { attachment, local } = options
    return local.inputDescriptor === 0 && local.stdout.fd === 1 && mayPass(attachment) ? new Shortcut(attachment, options) : undefined
  }

  /** Soon, or with the first key. */
  expect(): void {
    this.#options.keys.onTyped = () => this.#begin()
    this.#timer = setTimeout(() => this.#begin(), EXPECT_MS)
  }

  async suspend(): Promise<void> {
    this.#visit?.leave()
    if (this.#lent) await within(this.#over, SUSPEND_MS)
  }

  /** In the background nobody takes keys. */
  pause(): void {
    this.#paused = true
    if (!this.#lent) this.#options.local.stdin.pause()
  }

  resume(): void {
    this.#paused = false
    if (!this.#lent) this.#options.local.stdin.resume()
  }

  /** Resolves once the terminal is this process's alone again. */
  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#visit?.leave()
    // Before it is lent nobody may ever answer.
    if (this.#lent) await this.#over
    // What it could not pass on.
    await within(this.#options.keys.typed, LAST_KEYS_MS)
  }

  #begin(): void {
    if (this.#busy || this.#ended || this.#tries >= MOST || performance.now() < this.#notBefore || !inForeground()) return
    this.#busy = true
    clearTimeout(this.#timer)
    this.#over = passBy(this.#near, this.#wiring()).then(
      (over) => this.#after(over),
      () => (this.#tries = MOST),
    )
  }

  #wiring(): Parameters<typeof passBy>[1] {
    const { keys, scanner, see } = this.#options
    return {
      kind: 'keys',
      special: scanner.special,
      hold: () => {
        this.#lent = true
        return this.#ended || scanner.pending ? Promise.resolve(false) : keys.hold()
      },
      go: (over) => {
        this.#lent = false
        this.#visit = undefined
        if (over === undefined) this.#notBefore = performance.now() + AGAIN_MS
        keys.type(over?.left ?? Buffer.alloc(0))
        if (!this.#ended) keys.go(!this.#paused)
      },
      onVisit: (visit) => {
        this.#visit = visit
        this.#tries++
        if (this.#ended) visit.leave()
      },
      onShown: see,
      onKeys: (chunk) => ({ forward: keys.look(chunk), follows: scanner.pending }),
    }
  }

  #after(over: Over | undefined): void {
    this.#busy = false
    if (over === undefined) return
    if (over.reason === 'input' || over.reason === 'output') this.#options.gone()
    if (over.reason === 'broken') this.#tries = MOST
  }
}
