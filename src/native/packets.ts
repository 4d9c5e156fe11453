/**
 * Both protocols of the guest, frames to the client and records to the holder, are packets: a type byte, a big-endian
 * u32 length, the payload.
 */
export const HEADER = 5

export interface PacketReader {
  /** A packet, whole. */
  packet(type: number, payload: Buffer): void
  /** A piece of a packet of a streamed type, as it came: never copied, never joined, never empty. */
  piece?(payload: Buffer, type: number): void
}

/** Cuts a byte stream into packets. Throws on a length beyond `max`. */
export class PacketDecoder {
  readonly #reader: PacketReader
  readonly #max: number
  readonly #streamed: readonly number[]
  #head: Buffer = Buffer.alloc(0)
  #type = 0
  #left = 0
  #inside = false
  #parts: Buffer[] = []

  constructor(reader: PacketReader, max: number, ...streamed: readonly number[]) {
    this.#reader = reader
    this.#max = max
    this.#streamed = streamed
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length || (this.#inside && this.#left === 0)) {
      at = this.#inside ? this.#payload(chunk, at) : this.#header(chunk, at)
    }
  }

  #header(chunk: Buffer, at: number): number {
    const missing = HEADER - this.#head.length
    if (chunk.length - at < missing) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(at)])
      return chunk.length
    }
    const split = this.#head.length > 0
    const head = split ? Buffer.concat([this.#head, chunk.subarray(at, at + missing)]) : chunk
    const base = split ? 0 : at
    if (split) this.#head = Buffer.alloc(0)
    this.#type = head.readUInt8(base)
    this.#left = head.readUInt32BE(base + 1)
    if (this.#left > this.#max) throw new RangeError(`a packet of ${this.#left} bytes`)
    this.#inside = true
    return at + missing
  }

  #payload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    const piece = chunk.subarray(at, end)
    this.#left -= piece.length
    this.#inside = this.#left > 0
    if (this.#streamed.includes(this.#type)) {
      if (piece.length > 0) this.#reader.piece?.(piece, this.#type)
    } else if (this.#inside) this.#parts.push(piece)
    else this.#reader.packet(this.#type, this.#whole(piece))
    return end
  }

  #whole(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last
    const whole = Buffer.concat([...this.#parts, last])
    this.#parts = []
    return whole
  }
}

export function header(type: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt32BE(length, 1)
  return bytes
}

export function packet(type: number, payload: Uint8Array | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  return Buffer.concat([header(type, body.length), body])
}

export function u64(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * values.length)
  values.forEach((value, index) => bytes.writeBigUInt64BE(BigInt(value), 8 * index))
  return bytes
}

/** A stream's number and an offset in it. */
export function place(stream: number, ...offsets: readonly (number | bigint)[]): Buffer {
  return Buffer.concat([Buffer.of(stream), u64(...offsets)])
}
