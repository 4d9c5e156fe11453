import { TarError } from './error.ts'

/** Takes exact amounts from a source of arbitrary pieces. */
export class Pull {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** At least one byte, at most `max`. */
  async some(max: number): Promise<Buffer> {
    if (this.#rest.length === 0) await this.#more()
    const piece = this.#rest.subarray(0, max)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  async exact(length: number): Promise<Buffer> {
    if (this.#rest.length >= length) return this.some(length)
    const pieces: Buffer[] = []
    for (let missing = length; missing > 0; ) {
      const piece = await this.some(missing)
      pieces.push(piece)
      missing -= piece.length
    }
    return Buffer.concat(pieces, length)
  }

  /** Reads the rest away, so that the sender is not cut off. */
  async drain(): Promise<void> {
    this.#rest = Buffer.alloc(0)
    while ((await this.#source.next()).done !== true);
  }

  /** Tells the source that nobody reads on. */
  async leave(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<void> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next()
      if (done === true) throw new TarError('the archive ends early')
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
  }
}
