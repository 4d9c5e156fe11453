import type { Terminal } from '@xterm/headless'
import type { TerminalSize } from '../../contract/index.ts'
import { freeLines } from './internals.ts'
import { paint, type Model } from './paint.ts'
import { Tail } from './tail.ts'

/** The parser never splits a chunk, so this bounds how long it keeps the process. */
const PIECE = 64 * 1024
const GROUND = 0

/**
 * The terminal as the program sees it. It reads every byte, in order, so that it can be painted at any moment.
 *
 * Who answers a program that asks its terminal something (device attributes, cursor position, colours)? The terminal of
 * the session's owner, which knows best, while there is one: it sees the question in the output and its answer arrives
 * as input. The model's answers go to `reply`, and whoever holds the session passes them on only while nobody owns it.
 * So a program gets one answer, never two; mere viewers send no input and cannot answer.
 */
export class Screen {
  readonly #model: Model | undefined
  readonly #terminal: Terminal
  readonly #fallback: (scrollback: number) => string
  readonly #tail = new Tail()
  #pending = 0
  #disposed = false

  /** Made by `createScreen`. Without `model` the picture is the library's own, which is less exact. */
  constructor(terminal: Terminal, model: Model | undefined, fallback: (scrollback: number) => string) {
    this.#terminal = terminal
    this.#model = model
    this.#fallback = fallback
  }

  /** Bytes written and not yet read by the model. The writer should pause above 512 KiB. */
  get pending(): number {
    return this.#pending
  }

  /** The chunk must stay as it is until the model has read it. */
  write(chunk: Uint8Array): void {
    if (this.#disposed) return
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE)
      this.#pending += piece.length
      this.#terminal.write(piece, () => {
        this.#pending -= piece.length
        this.#tail.add(piece)
      })
    }
  }

  /** Resolves once everything written so far was read. */
  flush(): Promise<void> {
    if (this.#disposed) return Promise.resolve()
    return new Promise((resolve) => this.#terminal.write('', resolve))
  }

  /** In order with what is written: bytes from before are read at the old size. */
  resize({ cols, rows }: TerminalSize): void {
    if (this.#disposed) return
    this.#terminal.write('', () => {
      // Its lines are gone by then: the library would throw from a timer, and end the guest.
      if (!this.#disposed) this.#terminal.resize(Math.max(2, cols), Math.max(1, rows))
    })
  }

  /** What brings a terminal of this size to this state, see `paint`. Call after `flush`. */
  paint(scrollbackLines = 1000): Uint8Array {
    if (this.#model === undefined) return Buffer.from(this.#fallback(scrollbackLines))
    const picture = Buffer.from(paint(this.#model, scrollbackLines))
    const open = this.#model.internals._inputHandler._parser.currentState !== GROUND
    const tail = this.#tail.bytes(open)
    return tail.length === 0 ? picture : Buffer.concat([picture, tail])
  }

  dispose(): void {
    this.#disposed = true
    this.#terminal.dispose()
    if (this.#model !== undefined) freeLines(this.#model.internals)
  }
}
