import type { Duplex } from 'node:stream'
import type { FrameType } from '../../protocol/index.ts'
import { HEADER, header, packet } from '../../native/index.ts'

/** Beyond this a reader lags; it gets more once it is below the low mark again. */
const HIGH = 1024 * 1024
const LOW = 256 * 1024
/** Copying this little is cheaper than two writes. */
const SMALL = 4096
const BLOCK = 256 * 1024
const POOL = 24

const pool: Buffer[] = []

/** A buffer with room for a frame's header in front, so that what is read into it travels in one write. */
export class Block {
  readonly #bytes: Buffer
  readonly space: Buffer

  constructor() {
    this.#bytes = pool.pop() ?? Buffer.allocUnsafeSlow(HEADER + BLOCK)
    this.space = this.#bytes.subarray(HEADER)
  }

  frame(type: FrameType, length: number): Buffer {
    this.#bytes.writeUInt8(type, 0)
    this.#bytes.writeUInt32BE(length, 1)
    return this.#bytes.subarray(0, HEADER + length)
  }

  release(): void {
    if (pool.length < POOL) pool.push(this.#bytes)
  }
}

/** The way to one client: frames, and how many bytes have not left yet. */
export class FrameSink {
  readonly #stream: Duplex
  #queued = 0
  #crowded = false
  /** Told when there is room again after there was none. */
  onRoom: () => void = () => {}

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  get open(): boolean {
    return this.#stream.writable
  }

  /** Whether a reader that may be left behind should get more now. */
  get hasRoom(): boolean {
    return this.open && !this.#crowded
  }

  /** Everything has left. */
  get idle(): boolean {
    return this.#queued === 0
  }

  /** What is sent until `release` leaves together. */
  hold(): void {
    this.#stream.cork()
  }

  release(): void {
    this.#stream.uncork()
  }

  send(type: FrameType, payload: Uint8Array | string = ''): void {
    if (!this.open) return
    if (payload.length <= SMALL || typeof payload === 'string') return this.#write(packet(type, payload))
    this.#stream.cork()
    this.#write(header(type, payload.length))
    this.#write(payload)
    this.#stream.uncork()
  }

  /** The block belongs to the sink from now on. */
  sendBlock(type: FrameType, block: Block, length: number): void {
    if (this.open) this.#write(block.frame(type, length), () => block.release())
  }

  json(type: FrameType, value: unknown): void {
    this.send(type, JSON.stringify(value))
  }

  end(): void {
    if (this.open) this.#stream.end()
  }

  /** Resolves once everything said before the end has left, or never will. */
  over(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.writableFinished || this.#stream.destroyed) return resolve()
      this.#stream.once('finish', resolve).once('close', resolve)
    })
  }

  #write(bytes: Uint8Array, then?: () => void): void {
    const { length } = bytes
    this.#queued += length
    if (this.#queued >= HIGH) this.#crowded = true
    this.#stream.write(bytes, (error) => {
      this.#queued -= length
      // What an aborted connection held may still be in use below.
      if (error === null || error === undefined) then?.()
      if (!this.#crowded || this.#queued > LOW) return
      this.#crowded = false
      this.onRoom()
    })
  }
}
