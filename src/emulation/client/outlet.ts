import type { Writable } from 'node:stream'
import type { AmuxError, ByteSource } from '../../contract/index.ts'
import { normalise } from '../../errors/index.ts'
import { Bell } from '../../util/bell.ts'

interface Piece {
  readonly data: Buffer
  /** Absolute offset after it; undefined for what is not program output (a repainted screen). */
  readonly end: number | undefined
}

/** One output stream of a program on its way to its reader: an iterator, or a Node stream it is piped to. */
export class Outlet implements ByteSource {
  /** Bytes that arrived and were not taken yet. */
  waiting = 0
  /** Where the reader is: everything before was taken. */
  delivered = 0
  readonly #onTaken: () => void
  #queue: Piece[] = []
  #pipe: Writable | undefined
  #closed = false
  #ended = false
  #failure: AmuxError | undefined
  readonly #bell = new Bell()

  constructor(onTaken: () => void) {
    this.#onTaken = onTaken
  }

  /** Nothing more is to come and nothing is waiting. */
  get drained(): boolean {
    return this.#ended && this.waiting === 0
  }

  push(data: Buffer, end: number | undefined): void {
    if (this.#closed || this.#ended) return this.#take(0, end)
    this.waiting += data.length
    if (this.#pipe !== undefined) return this.#write(this.#pipe, { data, end })
    this.#queue.push({ data, end })
    this.#bell.ring()
  }

  /** Resolves once everything that arrived was taken. */
  async settled(): Promise<void> {
    while (this.waiting > 0 && !this.#closed) await this.#bell.heard()
  }

  /** What was taken without passing here: its reader is there. */
  passed(delivered: number): void {
    this.#take(0, delivered)
  }

  end(): void {
    this.#ended = true
    this.#bell.ring()
  }

  fail(error: AmuxError): void {
    if (this.#ended) return
    this.#failure = error
    this.end()
  }

  /** Writes everything straight into `writable`, which is not ended. Resolves after the last byte was taken. */
  async writeTo(writable: Writable): Promise<void> {
    const onError = (error: unknown) => {
      this.#failure ??= normalise(error)
      this.#closed = true
      this.#bell.ring()
    }
    writable.on('error', onError)
    this.#pipe = writable
    for (const piece of this.#queue.splice(0)) this.#write(writable, piece)
    while (!this.drained && !this.#closed) await this.#bell.heard()
    // Stays on: what a broken pipe says once more after the end must not end the process.
    if (this.#failure !== undefined) throw this.#failure
    writable.off('error', onError)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void> {
    let current: Piece | undefined
    const takeCurrent = () => {
      const piece = current
      current = undefined
      if (piece !== undefined) this.#take(piece.data.length, piece.end)
    }
    return {
      next: async () => {
        takeCurrent()
        while (this.#queue.length === 0 && !this.#ended && !this.#closed) await this.#bell.heard()
        current = this.#queue.shift()
        if (current !== undefined) return { done: false, value: current.data }
        if (this.#failure !== undefined) throw this.#failure
        return { done: true, value: undefined }
      },
      return: async () => {
        takeCurrent()
        this.#discard()
        return { done: true, value: undefined }
      },
    }
  }

  #write(writable: Writable, { data, end }: Piece): void {
    writable.write(data, (error) => {
      this.#take(data.length, error === null || error === undefined ? end : undefined)
    })
  }

  /** Nobody reads any more: what comes is let through, so that it holds up nothing else. */
  #discard(): void {
    this.#closed = true
    for (const piece of this.#queue.splice(0)) this.#take(piece.data.length, piece.end)
    this.#bell.ring()
  }

  #take(length: number, end: number | undefined): void {
    this.waiting -= length
    if (end !== undefined) this.delivered = end
    this.#onTaken()
    if (this.waiting === 0) this.#bell.ring()
  }
}
