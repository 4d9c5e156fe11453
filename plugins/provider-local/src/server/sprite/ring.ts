/** 1: stdout, 2: stderr. */
export type StreamNumber = 1 | 2

/** Bytes of one stream, written one after the other. */
interface Piece {
  readonly stream: StreamNumber
  /** Absolute, of its first byte in its stream. */
  readonly offset: number
  readonly block: Buffer
  length: number
}

/** Few large blocks rather than many small ones that the collector would look at again and again; what writes little gets small ones. */
const BLOCK_LEAST = 1024
const BLOCK_MOST = 128 * 1024
/** What is sent in one go: so much at most, and one block more. */
const GATHERED = 128 * 1024
export const TAKEN_MOST = GATHERED + BLOCK_MOST
/** What a piece costs beside its block. */
const OVERHEAD = 256

export interface Taken {
  readonly stream: StreamNumber
  readonly parts: readonly Uint8Array[]
  readonly size: number
}

/** How far somebody has read. */
export interface Cursor {
  piece: number
  within: number
  /** Bytes of both streams before it. */
  position: number
}

/** The newest output of a session, both streams in the order they came. */
export class Ring {
  readonly #most: () => number
  /** By number, oldest first. */
  readonly #pieces = new Map<number, Piece>()
  readonly #ends: [number, number]
  #first = 0
  #next = 0
  #cost = 0
  #total = 0
  /** The last large block that was dropped, to be filled again. */
  #spare: Buffer | undefined

  /** `most`: bytes, asked for at each push. `base`: offsets of the first bytes. */
  constructor(most: () => number, base: readonly [number, number]) {
    this.#most = most
    this.#ends = [base[0], base[1]]
  }

  /** Of both streams, since it began. */
  get total(): number {
    return this.#total
  }

  /** Whether that many more bytes fit without any getting lost. */
  fits(bytes: number): boolean {
    return this.#cost + bytes + BLOCK_MOST + OVERHEAD <= this.#most()
  }

  push(stream: StreamNumber, data: Uint8Array): void {
    let at = 0
    while (at < data.length) {
      const last = this.#pieces.get(this.#next - 1)
      const piece = last?.stream === stream && last.length < last.block.length ? last : this.#begin(stream, data.length - at, last)
      const part = data.subarray(at, at + piece.block.length - piece.length)
      piece.block.set(part, piece.length)
      piece.length += part.length
      at += part.length
      this.#ends[stream - 1] = (this.#ends[stream - 1] ?? 0) + part.length
      this.#total += part.length
    }
    while (this.#cost > this.#most() && this.#pieces.size > 1) this.#drop()
  }

  /** What a reader has before it, at what it costs. */
  behind({ piece, position }: Cursor): number {
    return this.#total - position + (this.#next - piece) * (BLOCK_LEAST + OVERHEAD)
  }

  /** At the oldest byte that is there. */
  oldest(): Cursor {
    let kept = 0
    for (const { length } of this.#pieces.values()) kept += length
    return { piece: this.#first, within: 0, position: this.#total - kept }
  }

  /** The offset of the oldest byte of a stream that is there. */
  start(stream: StreamNumber): number {
    for (const piece of this.#pieces.values()) if (piece.stream === stream) return piece.offset
    return this.#ends[stream - 1] ?? 0
  }

  /** What is next for a reader, of one stream, who goes on by it. `lost`: it is not there any more. */
  take(cursor: Cursor): Taken | 'lost' | undefined {
    if (cursor.piece < this.#first) return 'lost'
    const parts: Uint8Array[] = []
    let size = 0
    let stream: StreamNumber | undefined
    for (let piece = this.#pieces.get(cursor.piece); piece && size < GATHERED; piece = this.#pieces.get(cursor.piece)) {
      const part = piece.block.subarray(cursor.within, piece.length)
      if (part.length > 0) {
        stream ??= piece.stream
        if (stream !== piece.stream) break
        parts.push(part)
        size += part.length
      }
      cursor.within = piece.length
      // The last one may still grow.
      if (cursor.piece === this.#next - 1) break
      cursor.piece++
      cursor.within = 0
    }
    cursor.position += size
    return stream && { stream, parts, size }
  }

  /** As large as what came before, so that it suits what is written. */
  #begin(stream: StreamNumber, wanted: number, last: Piece | undefined): Piece {
    const size = Math.min(BLOCK_MOST, Math.max(BLOCK_LEAST, wanted, 2 * (last?.length ?? 0)))
    const block = this.#spare?.length === size ? this.#spare : Buffer.allocUnsafeSlow(size)
    if (block === this.#spare) this.#spare = undefined
    const piece = { stream, offset: this.#ends[stream - 1] ?? 0, block, length: 0 }
    this.#pieces.set(this.#next++, piece)
    this.#cost += size + OVERHEAD
    return piece
  }

  #drop(): void {
    const block = this.#pieces.get(this.#first)?.block
    if (block?.length === BLOCK_MOST) this.#spare = block
    this.#cost -= (block?.length ?? 0) + OVERHEAD
    this.#pieces.delete(this.#first++)
  }
}
