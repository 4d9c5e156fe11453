/** 1: stdout, 2: stderr. */
export type StreamNumber = 1 | 2

export interface Piece {
  readonly stream: StreamNumber
  /** Absolute, of its first byte in its stream. */
  readonly offset: number
  readonly data: Uint8Array
}

/** The newest output of a session, both streams in the order they came. */
export class Ring {
  readonly #most: number
  readonly #pieces: Piece[] = []
  readonly #ends: [number, number] = [0, 0]
  #size = 0

  /** `most`: bytes. */
  constructor(most: number, base: readonly [number, number] = [0, 0]) {
    this.#most = most
    this.#ends = [base[0], base[1]]
  }

  /** Whether that many more bytes fit without any getting lost. */
  fits(bytes: number): boolean {
    return this.#size + bytes <= this.#most
  }

  end(stream: StreamNumber): number {
    return this.#ends[stream - 1] ?? 0
  }

  push(stream: StreamNumber, data: Uint8Array): Piece {
    const piece = { stream, offset: this.end(stream), data }
    this.#ends[stream - 1] = piece.offset + data.length
    this.#pieces.push(piece)
    this.#size += data.length
    while (this.#size > this.#most && this.#pieces.length > 1) this.#size -= this.#pieces.shift()?.data.length ?? 0
    return piece
  }

  /** Oldest first. */
  pieces(): readonly Piece[] {
    return [...this.#pieces]
  }

  /** The offset of the oldest byte that is there. */
  start(stream: StreamNumber): number {
    return this.#pieces.find((piece) => piece.stream === stream)?.offset ?? this.end(stream)
  }
}
