import { GuestError } from '../wire.ts'
import { Input } from './input.ts'

const END_OF_TRANSMISSION = Buffer.of(4)
/** A terminal's end-of-file counts only at the beginning of a line; elsewhere it takes two. */
const TWICE = Buffer.of(4, 4)
const SEND_AHEAD = 256 * 1024

interface Wiring {
  readonly tty: boolean
  send(bytes: Uint8Array | 'end'): void
  /** The owner should hear how much was taken. */
  onTaken(): void
  /** How much input came from somebody else than an owner. */
  onForeign(bytes: number): void
}

/** What is typed into a session, by whomever. */
export class Keyboard {
  readonly #wiring: Wiring
  #input: Input
  #lineOpen = false
  #known = true

  constructor(wiring: Wiring) {
    this.#wiring = wiring
    this.#input = this.#make(0, 0)
  }

  /** Input of owners that was taken; undefined: nobody reads it. */
  get ownerTaken(): number | undefined {
    return this.#input.closed ? undefined : this.#input.ownerTaken
  }

  /** Bytes that were typed and not taken. */
  get waiting(): number {
    return this.#input.waiting
  }

  /** Resolves when no more than `most` of them are left. */
  settled(most: number): Promise<void> {
    return this.#input.settled(most)
  }

  /** The program lives since before this guest: the holder's first count says where its input is. */
  adopt(foreign: number): void {
    this.#known = false
    this.#input = this.#make(0, foreign)
  }

  taken(total: number | undefined): void {
    if (!this.#known && total !== undefined) this.#input = this.#make(total, this.#input.foreign)
    this.#known = true
    this.#input.taken(total)
  }

  close(): void {
    this.#input.close()
  }

  type(bytes: Uint8Array, owner: boolean): void {
    const last = bytes.at(-1)
    if (last !== undefined) this.#lineOpen = last !== 10 && last !== 13
    this.#input.push(bytes, owner)
    if (!owner) this.#wiring.onForeign(this.#input.foreign)
  }

  end(owner: boolean): void {
    if (!this.#wiring.tty) return this.#input.end()
    this.type(this.#lineOpen ? TWICE : END_OF_TRANSMISSION, owner)
    this.#lineOpen = false
  }

  /** Types what comes, as fast as it is taken. Resolves once everything was. */
  async send(source: AsyncIterable<Uint8Array>, eof: boolean, signal: AbortSignal | undefined): Promise<void> {
    for await (const chunk of source) {
      if (this.#input.closed) throw new GuestError('conflict', 'the program reads no more input')
      this.type(chunk, false)
      await this.#input.settled(SEND_AHEAD, signal)
    }
    if (eof) this.end(false)
    await this.#input.settled(0, signal)
  }

  #make(taken: number, foreign: number): Input {
    return new Input((bytes) => this.#wiring.send(bytes), () => this.#wiring.onTaken(), taken, foreign)
  }
}
