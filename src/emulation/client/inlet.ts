import type { AmuxError, ByteSink } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { Frame, INPUT_WINDOW } from '../../protocol/index.ts'
import { Bell } from '../../util/bell.ts'
import { drained } from '../../util/streams.ts'
import type { Link } from './link.ts'

const READS_NO_MORE = 2n ** 64n - 1n
/** Less room is waited for to grow: many small pieces take longer than few large ones. */
const LEAST = INPUT_WINDOW / 4

/**
 * A program's stdin. Keeps what the guest has not taken yet, to send it again after a lost connection. The guest counts
 * for owners only: whoever else may type goes at the pace of its stream.
 */
export class Inlet implements ByteSink {
  readonly #owner: boolean
  #link: Link | undefined
  #kept: Uint8Array[] = []
  /** In bytes since the session began, as the guest counts. */
  #taken = 0
  #sent = 0
  /** Whether the guest's count is known. */
  #counted = false
  /** Whether it is of this connection. */
  #current = false
  /** A new connection that has not said its count yet. */
  #returning: Link | undefined
  #ended = false
  #failure: AmuxError | undefined
  readonly #bell = new Bell()

  constructor(owner: boolean) {
    this.#owner = owner
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw fail('conflict', 'input was ended already')
    for (let rest = chunk; rest.length > 0; ) {
      const link = await this.#open(Math.min(rest.length, LEAST))
      // Never more than the guest has room for: acknowledgements must not wait behind input.
      const piece = rest.subarray(0, this.#room)
      rest = rest.subarray(piece.length)
      this.#sent += piece.length
      if (this.#owner) this.#kept.push(piece)
      if (!link.input(piece)) await drained(link.writable)
    }
  }

  /** Resolves once all that was written was taken, as far as anybody counts; rejects once nothing will be. */
  async settled(): Promise<void> {
    while (this.#failure !== undefined || this.#link === undefined || !this.#current || this.#sent > this.#taken) {
      if (this.#failure !== undefined) throw this.#failure
      await this.#bell.heard()
    }
  }

  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#link?.tell(Frame.eof)
  }

  /** What is written from now on goes there. */
  connect(link: Link): void {
    this.#link = link
    this.#bell.ring()
  }

  /** A lost connection: writers wait for the next one. `false` when nobody can say what arrived. */
  interrupt(): boolean {
    this.#link = undefined
    this.#returning = undefined
    this.#current = false
    return this.#counted || this.#sent === 0
  }

  /** After a lost connection: sends again what the guest has not got, once it has said what that is. */
  resume(link: Link): void {
    if (this.#current || (this.#kept.length === 0 && !this.#ended)) this.#goOn(link)
    else this.#returning = link
  }

  /** The guest's count. */
  took(payload: Buffer): void {
    const count = payload.readBigUInt64BE()
    if (count === READS_NO_MORE) return this.close(fail('conflict', 'the program reads no more input'))
    const total = Number(count)
    if (!this.#counted) this.#begin(total)
    let surplus = total - this.#taken
    this.#taken = total
    while (surplus > 0) {
      const first = this.#kept.shift()
      if (first === undefined) break
      if (first.length > surplus) this.#kept.unshift(first.subarray(surplus))
      surplus -= first.length
    }
    this.#sent = Math.max(this.#sent, total)
    this.#current = true
    if (this.#returning !== undefined) this.#goOn(this.#returning)
    this.#bell.ring()
  }

  close(error: AmuxError): void {
    this.#failure ??= error
    this.#kept = []
    this.#bell.ring()
  }

  #goOn(link: Link): void {
    this.#returning = undefined
    for (const chunk of this.#kept) link.input(chunk)
    if (this.#ended) link.tell(Frame.eof)
    this.connect(link)
  }

  /** The first count comes before anything of ours was taken. */
  #begin(total: number): void {
    this.#counted = true
    this.#taken = total
    this.#sent += total
  }

  /** Waits for a connection, and for so much room. */
  async #open(least: number): Promise<Link> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#link !== undefined && this.#room >= least) return this.#link
      await this.#bell.heard()
    }
  }

  get #room(): number {
    return this.#owner ? INPUT_WINDOW - (this.#sent - this.#taken) : INPUT_WINDOW
  }
}
