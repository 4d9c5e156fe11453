import type { AmuxError, ByteSink } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { Frame, INPUT_WINDOW } from '../../protocol/index.ts'
import { Bell } from '../../util/bell.ts'
import { drained } from '../../util/streams.ts'
import type { Link } from './link.ts'

const READS_NO_MORE = 2n ** 64n - 1n

/** A program's stdin. Keeps what the guest has not taken yet, to send it again after a lost connection. */
export class Inlet implements ByteSink {
  #link: Link | undefined
  #kept: Uint8Array[] = []
  /** In bytes since the session began, as the guest counts. */
  #taken = 0
  #sent = 0
  /** Whether the guest says what it took. Unknown until it first does. */
  #tracked = false
  #forgot = false
  #ended = false
  #failure: AmuxError | undefined
  readonly #bell = new Bell()

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw fail('conflict', 'input was ended already')
    if (chunk.length === 0) return
    while (this.#failure === undefined && (this.#link === undefined || this.#isFull())) await this.#bell.heard()
    if (this.#failure !== undefined) throw this.#failure
    this.#sent += chunk.length
    this.#keep(chunk)
    const link = this.#link
    if (link !== undefined && !link.input(chunk)) await drained(link.writable)
  }

  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#link?.tell(Frame.eof)
  }

  /** What is written from now on goes there. */
  open(link: Link): void {
    this.#link = link
    this.#bell.ring()
  }

  /** A lost connection: writers wait for the next one. `false` when nobody can say what arrived. */
  interrupt(): boolean {
    this.#link = undefined
    return this.#tracked || this.#sent === 0
  }

  /** After a lost connection: sends again what the guest has not got. */
  resume(link: Link): void {
    this.#link = link
    for (const chunk of this.#kept) link.input(chunk)
    if (this.#ended) link.tell(Frame.eof)
    this.#bell.ring()
  }

  /** The guest's count. */
  took(payload: Buffer): void {
    const count = payload.readBigUInt64BE()
    if (count === READS_NO_MORE) return this.close(fail('conflict', 'the program reads no more input'))
    const total = Number(count)
    if (!this.#tracked) this.#begin(total)
    let surplus = total - this.#taken
    this.#taken = total
    while (surplus > 0) {
      const first = this.#kept.shift()
      if (first === undefined) break
      if (first.length > surplus) this.#kept.unshift(first.subarray(surplus))
      surplus -= first.length
    }
    this.#bell.ring()
  }

  close(error: AmuxError): void {
    this.#failure ??= error
    this.#kept = []
    this.#bell.ring()
  }

  /** The first count comes before anything of ours was taken. */
  #begin(total: number): void {
    this.#tracked = !this.#forgot
    this.#taken = total
    this.#sent += total
  }

  #keep(chunk: Uint8Array): void {
    if (this.#forgot) return
    this.#kept.push(chunk)
    if (this.#tracked || this.#sent <= INPUT_WINDOW) return
    // A guest that never counts: keeping all would fill the memory.
    this.#forgot = true
    this.#kept = []
  }

  #isFull(): boolean {
    return this.#tracked && this.#sent - this.#taken >= INPUT_WINDOW
  }
}
