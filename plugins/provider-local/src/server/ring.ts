/** 1: stdout, 2: stderr. */
export type StreamNumber = 1 | 2

interface Piece {
  readonly stream: StreamNumber
  /** Absolute, of its first byte in its stream. */
  readonly offset: number
  data: Uint8Array
}

/** How far somebody has read. */
export interface Cursor {
  piece: number
  within: number
  /** Bytes of both streams before it. */
  position: number
}

/** Pieces smaller than this are put together, so that a program that writes byte by byte costs no more than it wrote. */
const SMALL = 16 * 1024
/** What a piece costs beside its bytes. */
const OVERHEAD = 256

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
    return this.#cost + bytes + OVERHEAD <= this.#most()
  }

  push(stream: StreamNumber, data: Uint8Array): void {
    const last = this.#pieces.get(this.#next - 1)
    if (last?.stream === stream && last.data.length + data.length <= SMALL) last.data = Buffer.concat([last.data, data])
    else {
      // A small part of a large buffer would keep all of it.
      this.#pieces.set(this.#next++, { stream, offset: this.#ends[stream - 1] ?? 0, data: data.length < SMALL ? Uint8Array.from(data) : data })
      this.#cost += OVERHEAD
    }
    this.#ends[stream - 1] = (this.#ends[stream - 1] ?? 0) + data.length
    this.#cost += data.length
    this.#total += data.length
    while (this.#cost > this.#most() && this.#pieces.size > 1) this.#drop()
  }

  /** What a reader has before it, at what it costs. */
  behind({ piece, position }: Cursor): number {
    return this.#total - position + (this.#next - piece) * OVERHEAD
  }

  /** At the oldest byte that is there. */
  oldest(): Cursor {
    let kept = 0
    for (const { data } of this.#pieces.values()) kept += data.length
    return { piece: this.#first, within: 0, position: this.#total - kept }
  }

  /** The offset of the oldest byte of a stream that is there. */
  start(stream: StreamNumber): number {
    for (const piece of this.#pieces.values()) if (piece.stream === stream) return piece.offset
    return this.#ends[stream - 1] ?? 0
  }

  /** What is next for a reader, who goes on by it. `lost`: it is not there any more. */
  take(cursor: Cursor): { readonly stream: StreamNumber; readonly data: Uint8Array } | 'lost' | undefined {
    if (cursor.piece < this.#first) return 'lost'
    const piece = this.#pieces.get(cursor.piece)
    if (!piece) return undefined
    const data = piece.data.subarray(cursor.within)
    cursor.within += data.length
    cursor.position += data.length
    if (cursor.piece < this.#next - 1) {
      cursor.piece++
      cursor.within = 0
      return data.length > 0 ? { stream: piece.stream, data } : this.take(cursor)
    }
    return data.length > 0 ? { stream: piece.stream, data } : undefined
  }

  #drop(): void {
    this.#cost -= (this.#pieces.get(this.#first)?.data.length ?? 0) + OVERHEAD
    this.#pieces.delete(this.#first++)
  }
}
