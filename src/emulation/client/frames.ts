import { fail } from '../../errors/index.ts'
import { Frame, FRAME_HEADER, FRAME_MAX } from '../../protocol/index.ts'

export interface FrameReader {
  /** A piece of an output frame, as it came: never copied, never joined. */
  output(stream: 'stdout' | 'stderr', piece: Buffer): void
  /** Any other frame, whole. */
  control(type: number, payload: Buffer): void
}

/** Cuts a byte stream into frames. Throws `corrupt` on what cannot be one. */
export class FrameDecoder {
  readonly #reader: FrameReader
  readonly #header = Buffer.alloc(FRAME_HEADER)
  #headerLength = 0
  #type = 0
  #left = 0
  #parts: Buffer[] = []

  constructor(reader: FrameReader) {
    this.#reader = reader
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#headerLength < FRAME_HEADER) at = this.#takeHeader(chunk, at)
      else at = this.#takePayload(chunk, at)
    }
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + FRAME_HEADER - this.#headerLength)
    chunk.copy(this.#header, this.#headerLength, at, end)
    this.#headerLength += end - at
    if (this.#headerLength < FRAME_HEADER) return end
    this.#type = this.#header.readUInt8(0)
    this.#left = this.#header.readUInt32BE(1)
    if (this.#left > FRAME_MAX) throw fail('corrupt', `the guest sent a frame of ${this.#left} bytes`, { source: 'transport' })
    if (this.#left === 0) this.#finish()
    return end
  }

  #takePayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end)
    this.#left -= piece.length
    if (this.#type === Frame.stdout) this.#reader.output('stdout', piece)
    else if (this.#type === Frame.stderr) this.#reader.output('stderr', piece)
    else this.#parts.push(piece)
    if (this.#left === 0) this.#finish()
    return end
  }

  #finish(): void {
    this.#headerLength = 0
    if (this.#type === Frame.stdout || this.#type === Frame.stderr) return
    const [first] = this.#parts
    const payload = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts)
    this.#parts = []
    this.#reader.control(this.#type, payload)
  }
}

export function frameHeader(type: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER)
  header.writeUInt8(type, 0)
  header.writeUInt32BE(length, 1)
  return header
}

export function frame(type: number, payload: Uint8Array | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  return Buffer.concat([frameHeader(type, body.length), body])
}

export function jsonFrame(type: number, value: unknown): Buffer {
  return frame(type, JSON.stringify(value))
}

export function ackFrame(stdout: number, stderr: number): Buffer {
  const payload = Buffer.allocUnsafe(16)
  payload.writeBigUInt64BE(BigInt(stdout), 0)
  payload.writeBigUInt64BE(BigInt(stderr), 8)
  return frame(Frame.ack, payload)
}
