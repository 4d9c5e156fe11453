import fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ByteSink } from '../contract/index.ts'
import type { DetachScanner } from './detach-keys.ts'
import type { Local, LocalInput } from './local.ts'
import { within } from './stop.ts'

/** Typed ahead of a program that does not read: beyond this the keyboard waits. */
const TYPE_AHEAD = 1024 * 1024
const NULL_DEVICE = 0x103
const HOLD_MS = 250

/** Whether local input can give anything: spares opening a stream for `</dev/null`, as scripts have it. */
export function hasInput(local: Local): boolean {
  if (local.inputDescriptor === undefined) return true
  try {
    const stat = fs.fstatSync(local.inputDescriptor)
    return !(stat.isCharacterDevice() && stat.rdev === NULL_DEVICE)
  } catch {
    return false
  }
}

/** Copies local input to the program, at the program's pace. Resolves at the end of the input, or when the program takes no more. */
export async function copyInput(input: LocalInput, sink: ByteSink): Promise<void> {
  try {
    for await (const chunk of input) await sink.write(bytes(chunk))
    await sink.end()
  } catch {
    // The program closed its end or is over: its exit says the rest.
    input.destroy()
  }
}

export interface KeyboardOptions {
  readonly input: LocalInput
  readonly sink: ByteSink
  readonly scanner: DetachScanner
  onDetach(): void
  /** The terminal is no more. The program's input does not end with it: it lives on. */
  onGone(): void
}

/**
 * Passes keys on. They are looked at as they are typed, not when the program takes them: the detach keys also work
 * while it does not read, or while the connection is away.
 */
export class Keyboard {
  readonly #options: KeyboardOptions
  #waiting = 0
  #last = Promise.resolve()
  #held = false
  /** Keys were typed, and passed on. */
  onTyped: () => void = () => {}

  constructor(options: KeyboardOptions) {
    this.#options = options
    options.input.on('data', this.#onData).on('end', options.onGone).on('error', options.onGone)
  }

  /** Says which of these keys are typed. */
  look(keys: Uint8Array): Uint8Array {
    const { scanner, onDetach } = this.#options
    const { forward, detach } = scanner.scan(keys)
    if (detach) onDetach()
    return forward
  }

  type(keys: Uint8Array): void {
    if (keys.length === 0) return
    this.#waiting += keys.length
    if (this.#waiting > TYPE_AHEAD) this.#options.input.pause()
    this.#last = this.#send(keys, this.#last)
  }

  /** Somebody else reads the terminal until `go`. Says whether all that was typed is with the program by now. */
  async hold(): Promise<boolean> {
    const { input } = this.#options
    this.#held = true
    // Node stops reading a moment later, and may have read something by then.
    do {
      input.resume()
      await nextTurn()
      input.pause()
      await nextTurn()
    } while (input.readableLength > 0)
    return within(this.#last, HOLD_MS)
  }

  go(): void {
    this.#held = false
    if (this.#waiting <= TYPE_AHEAD) this.#options.input.resume()
  }

  stop(): void {
    const { input, onGone } = this.#options
    this.#held = true
    input.off('data', this.#onData).off('end', onGone)
  }

  readonly #onData = (chunk: unknown): void => {
    this.type(this.look(bytes(chunk)))
    this.onTyped()
  }

  async #send(keys: Uint8Array, before: Promise<void>): Promise<void> {
    await before
    // What cannot be typed any more is dropped: the exit says why.
    await this.#options.sink.write(keys).catch(() => undefined)
    this.#waiting -= keys.length
    if (!this.#held && this.#waiting <= TYPE_AHEAD && this.#options.input.isPaused()) this.#options.input.resume()
  }
}

function bytes(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk))
}

/** For who only looks on: takes keys and types none. */
export function mute(look: (chunk: Uint8Array) => void): ByteSink {
  return {
    async write(chunk) {
      look(chunk)
    },
    async end() {
      // There is nothing to end.
    },
  }
}
