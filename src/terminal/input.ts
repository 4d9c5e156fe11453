import fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ByteSink } from '../contract/index.ts'
import type { Local, LocalInput } from './local.ts'
import { within } from './stop.ts'

/** Typed ahead of a program that does not read: beyond this the input waits. */
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

export interface TypistOptions {
  readonly input: LocalInput
  readonly sink: ByteSink
  /** Says which of these bytes are typed. Default: all. */
  look?(bytes: Uint8Array): Uint8Array
  /** There is no more. */
  onEnd(): void
  /** The program takes no more. Default: what is typed is dropped; the exit says why. */
  onRefused?(): void
}

/** Types what comes. It is looked at as it comes, not when the program takes it. */
export class Typist {
  readonly #options: TypistOptions
  #waiting = 0
  #last = Promise.resolve()
  #held = false
  /** So many bytes came, and were passed on. */
  onTyped: (bytes: number) => void = () => {}

  constructor(options: TypistOptions) {
    this.#options = options
    options.input.on('data', this.#onData).on('end', options.onEnd).on('error', options.onEnd)
  }

  look(bytes: Uint8Array): Uint8Array {
    return this.#options.look?.(bytes) ?? bytes
  }

  type(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#waiting += bytes.length
    if (this.#waiting > TYPE_AHEAD) this.#options.input.pause()
    this.#last = this.#send(bytes, this.#last)
  }

  /** Resolves once all that was typed is with the program. */
  get typed(): Promise<void> {
    return this.#last
  }

  /** Somebody else reads the input until `go`. Says whether all that was typed is with the program by now. */
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

  go(read = true): void {
    this.#held = false
    if (read && this.#waiting <= TYPE_AHEAD) this.#options.input.resume()
  }

  stop(): void {
    const { input, onEnd } = this.#options
    this.#held = true
    input.off('data', this.#onData).off('end', onEnd)
  }

  readonly #onData = (chunk: unknown): void => {
    const came = bytes(chunk)
    this.type(this.look(came))
    this.onTyped(came.length)
  }

  async #send(bytes: Uint8Array, before: Promise<void>): Promise<void> {
    await before
    const { input, sink, onRefused } = this.#options
    await sink.write(bytes).catch(() => onRefused?.())
    this.#waiting -= bytes.length
    if (!this.#held && this.#waiting <= TYPE_AHEAD && input.isPaused()) input.resume()
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
