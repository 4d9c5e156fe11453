import { fail } from '../../errors/index.ts'
import { header, packet, PacketDecoder, u64 } from '../../native/index.ts'
import { Frame, FRAME_MAX } from '../../protocol/index.ts'

export interface FrameReader {
  /** A piece of an output frame, as it came. */
  output(stream: 'stdout' | 'stderr', piece: Buffer): void
  /** Any other frame, whole. */
  control(type: number, payload: Buffer): void
}

/** Cuts a byte stream into frames. Throws `corrupt` on what cannot be one. */
export class FrameDecoder {
  readonly #decoder: PacketDecoder

  constructor(reader: FrameReader) {
    const packets = {
      packet: (type: number, payload: Buffer) => reader.control(type, payload),
      piece: (piece: Buffer, type: number) => reader.output(type === Frame.stdout ? 'stdout' : 'stderr', piece),
    }
    this.#decoder = new PacketDecoder(packets, FRAME_MAX, Frame.stdout, Frame.stderr)
  }

  push(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      throw error instanceof RangeError ? fail('corrupt', `the guest sent ${error.message}`, { source: 'transport' }) : error
    }
  }
}

export { header as frameHeader, packet as frame }

export function jsonFrame(type: number, value: unknown): Buffer {
  return packet(type, JSON.stringify(value))
}

export function ackFrame(stdout: number, stderr: number): Buffer {
  return packet(Frame.ack, u64(stdout, stderr))
}
