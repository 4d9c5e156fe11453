import { connect, type Socket } from 'node:net'
import { Duplex, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { AmuxError } from '../../contract/index.ts'
import { type DirectTunnel, Frame } from '../../protocol/index.ts'
import { FrameDecoder, type FrameReader, frame, frameHeader } from './frames.ts'
import { wireError } from './wire.ts'

const AHEAD = 256 * 1024
/** Most tunnels never need more. */
const FIRST = 2048
const PIECE = 256 * 1024

/** One tunnel on a socket of its own, as the bytes it carries: see `protocol/direct.ts`. */
export class TunnelSocket extends Duplex implements FrameReader {
  /** Whether it stands; rejects with what the guest says. `false`: it never answered. */
  readonly standing: Promise<boolean>
  readonly #socket: Socket
  #answer: (stands: boolean) => void = () => {}
  #refuse: (error: AmuxError) => void = () => {}
  #ended = false
  #room = true
  /** Where what comes goes at once. */
  #into: Writable | undefined

  constructor(path: string, request: DirectTunnel & { readonly nonce: string }) {
    super({ highWaterMark: AHEAD })
    this.standing = new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#refuse = reject
    })
    const decoder = new FrameDecoder(this)
    // Always the same memory: to take and free it for each piece costs more than everything else.
    let memory = Buffer.allocUnsafe(FIRST)
    let next = memory
    const buffer = (): Buffer => (memory = next)
    const callback = (length: number): boolean => {
      if (memory.length === FIRST && length === FIRST) next = Buffer.allocUnsafeSlow(PIECE)
      return this.#take(decoder, memory.subarray(0, length))
    }
    const socket = (this.#socket = connect({ path, allowHalfOpen: true, onread: { buffer, callback } }))
    socket.write(`${JSON.stringify(request)}\n`)
    socket.on('error', () => undefined)
    socket.once('end', () => this.#ended || this.destroy())
    socket.once('close', () => this.#ended || this.destroy())
  }

  /** Instead of reading: writes all that comes, at the pace of what takes it. Resolves at its end. */
  async pour(into: Writable): Promise<void> {
    for (let early: Buffer | null; (early = this.read() as Buffer | null) !== null; ) into.write(early)
    this.#into = into
    this.resume()
    await finished(this, { writable: false })
  }

  output(_stream: 'stdout' | 'stderr', piece: Buffer): void {
    if (this.#into !== undefined) this.#into.write(piece)
    else this.#room = this.push(Buffer.from(piece))
  }

  control(type: number, payload: Buffer): void {
    if (type === Frame.open) this.#answer(true)
    else if (type === Frame.error) this.#refuse(wireError(payload))
    if (type !== Frame.eof) return
    this.#ended = true
    this.push(null)
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.cork()
    this.#socket.write(frameHeader(Frame.stdin, chunk.length))
    this.#socket.write(chunk, done)
    this.#socket.uncork()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(frame(Frame.eof), () => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#answer(false)
    this.#socket.destroy()
    done(error)
  }

  /** Whether the memory is free again, and there is room for more. */
  #take(decoder: FrameDecoder, chunk: Buffer): boolean {
    this.#room = true
    try {
      decoder.push(chunk)
    } catch (error) {
      this.destroy(error instanceof Error ? error : undefined)
    }
    const into = this.#into
    if (into === undefined || into.writableLength === 0) return this.#room
    into.write('', () => this.#socket.resume())
    return false
  }
}
