import type { AmuxError, SessionInfo } from '../../contract/index.ts'
import { fail, isAmuxError, normalise } from '../../errors/index.ts'
import { u64 } from '../../native/index.ts'
import { Frame, NEW_PICTURE } from '../../protocol/index.ts'
import type { Headers } from './connection.ts'
import { ackFrame, frame, frameHeader, FrameDecoder, type FrameReader, jsonFrame } from './frames.ts'
import type { Carrier, FrameStream } from './host.ts'
import { CANCEL, parseJson, wireError } from './wire.ts'

export interface LinkReader {
  session(info: SessionInfo): void
  output(stream: 'stdout' | 'stderr', piece: Buffer): void
  /** Any other frame. */
  control(type: number, payload: Buffer): void
  /** Once, last. Without an error the guest said all it had to say. */
  closed(error: AmuxError | undefined): void
}

/** One stream of frames: what exec, attach and logs have in common. */
export class Link implements FrameReader {
  readonly #stream: FrameStream
  readonly #connection: Carrier
  readonly #reader: LinkReader
  #finished = false
  #closed = false
  #status = 200
  #refusal: Buffer[] = []

  constructor(connection: Carrier, method: string, path: string, reader: LinkReader, headers?: Headers, open?: unknown) {
    this.#connection = connection
    this.#reader = reader
    this.#stream = connection.request(method, path, headers, open === undefined)
    const decoder = new FrameDecoder(this)
    this.#stream.once('response', (answer: { readonly ':status'?: number }) => {
      this.#status = answer[':status'] ?? 200
      // Not before: where the connection is a stream in JavaScript, the body may overtake the event.
      this.#stream.on('data', (chunk: Buffer) => this.#receive(decoder, chunk))
    })
    this.#stream.once('end', () => this.#onEnd())
    this.#stream.once('close', () => this.#onClose())
    if (open !== undefined) this.#stream.write(jsonFrame(Frame.open, open))
  }

  /** Whether the sender should go on; else wait for `drained`. */
  input(chunk: Uint8Array): boolean {
    if (chunk.length < 4096) return this.#send(frame(Frame.stdin, chunk))
    this.#stream.cork()
    this.#send(frameHeader(Frame.stdin, chunk.length))
    const more = this.#send(chunk)
    this.#stream.uncork()
    return more
  }

  get writable(): FrameStream {
    return this.#stream
  }

  tell(type: number, payload?: string): boolean {
    return this.#send(frame(type, payload))
  }

  ack(stdout: number, stderr: number): void {
    this.#send(ackFrame(stdout, stderr))
  }

  /** A terminal's output is to come here from this offset on; undefined: as a new picture. */
  back(offset: number | undefined): void {
    this.#send(frame(Frame.direct, u64(offset ?? NEW_PICTURE)))
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Says goodbye properly: what was sent arrives. */
  end(): void {
    this.#finished = true
    if (!this.#stream.destroyed) this.#stream.end()
  }

  /** Drops it at once. */
  cancel(): void {
    this.#finished = true
    if (!this.#stream.destroyed) this.#stream.close(CANCEL)
  }

  output(stream: 'stdout' | 'stderr', piece: Buffer): void {
    this.#reader.output(stream, piece)
  }

  control(type: number, payload: Buffer): void {
    if (type === Frame.error) return this.#close(wireError(payload))
    if (type === Frame.session) return this.#reader.session(parseJson<SessionInfo>(payload, isSession))
    if (type === Frame.done) this.#finished = true
    this.#reader.control(type, payload)
  }

  #send(data: Uint8Array): boolean {
    return this.#stream.writable ? this.#stream.write(data) : true
  }

  #receive(decoder: FrameDecoder, chunk: Buffer): void {
    if (this.#closed) return
    if (this.#status >= 400) return void this.#refusal.push(chunk)
    try {
      decoder.push(chunk)
    } catch (error) {
      this.#close(isAmuxError(error) ? error : normalise(error))
      this.cancel()
    }
  }

  /** A guest that was killed only ends its half of a socket. */
  #onEnd(): void {
    if (!this.#finished) this.#stream.destroy()
  }

  #onClose(): void {
    if (this.#status >= 400) return this.#close(wireError(Buffer.concat(this.#refusal), this.#status))
    if (this.#finished) return this.#close(undefined)
    this.#close(this.#connection.lost ? this.#connection.failure() : fail('connection_lost', 'the stream to the computer broke', { source: 'transport' }))
  }

  #close(error: AmuxError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#reader.closed(error)
  }
}

function isSession(value: object): boolean {
  return 'id' in value && typeof value.id === 'string' && 'state' in value && value.state instanceof Object && 'tty' in value
}
