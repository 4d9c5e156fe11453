import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { ExitStatus } from '../../src/contract/index.ts'
import { frame, FrameDecoder } from '../../src/emulation/client/frames.ts'
import { ackFrame } from '../../src/emulation/client/frames.ts'
import { Frame, type SessionInfo, type WireError } from '../../src/protocol/index.ts'

export interface ProgramOptions {
  /** Acknowledge what arrives. Default true. */
  readonly ack?: boolean
  /** Do not keep the output, only count it. */
  readonly count?: boolean
}

/** The raw client's end of one exec, attach or logs stream. */
export class Program {
  readonly stream: ClientHttp2Stream
  readonly types: number[] = []
  readonly skipped: { stream: string; bytes: number }[] = []
  readonly marks: [stream: number, offset: number][] = []
  readonly received = { stdout: 0, stderr: 0 }
  acked = { stdout: 0, stderr: 0 }
  taken = 0n
  exit: ExitStatus | undefined
  done: { stdout: number; stderr: number } | undefined
  error: WireError | undefined
  disowned = false
  /** Which stream spoke, change by change. */
  readonly order: string[] = []
  /** The stream is closed, whatever the reason. */
  readonly over: Promise<void>
  readonly #pieces: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  readonly #options: ProgramOptions
  #session: SessionInfo | undefined
  #refusal = Buffer.alloc(0)
  #status = 200
  #listeners = new Set<() => void>()

  constructor(client: ClientHttp2Session, path: string, open?: object, options: ProgramOptions = {}) {
    this.#options = options
    const method = open === undefined ? 'GET' : 'POST'
    this.stream = client.request({ ':method': method, ':path': path }, { endStream: open === undefined })
    const decoder = new FrameDecoder({ output: (stream, piece) => this.#output(stream, piece), control: (type, payload) => this.#control(type, payload) })
    this.stream.on('response', (headers) => {
      this.#status = headers[':status'] ?? 0
      if (this.#status >= 400) this.stream.end()
    })
    this.stream.on('data', (chunk: Buffer) => {
      if (this.#status >= 400) this.#refusal = Buffer.concat([this.#refusal, chunk])
      else decoder.push(chunk)
      this.#tell()
    })
    this.stream.on('error', () => {})
    this.over = new Promise((resolve) => this.stream.once('close', () => {
      if (this.#refusal.length > 0) this.error = JSON.parse(this.#refusal.toString()) as WireError
      this.#tell()
      resolve()
    }))
    if (open !== undefined) this.tell(Frame.open, JSON.stringify(open))
  }

  get session(): SessionInfo {
    if (this.#session === undefined) throw new Error(`no session: ${JSON.stringify(this.error)}`)
    return this.#session
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces.stdout)
  }

  get stdout(): string {
    return this.bytes.toString()
  }

  get stderr(): string {
    return Buffer.concat(this.#pieces.stderr).toString()
  }

  tell(type: number, payload: Uint8Array | string = ''): void {
    if (this.stream.writable) this.stream.write(frame(type, payload))
  }

  type(bytes: Uint8Array | string): void {
    this.tell(Frame.stdin, bytes)
  }

  eof(): void {
    this.tell(Frame.eof)
  }

  /** Leaves without a word, as a killed client does. */
  drop(): void {
    this.stream.close(8)
  }

  /** Resolves once `check` holds; rejects when the stream ends before. */
  async until(check: (program: this) => boolean): Promise<this> {
    while (!check(this)) {
      if (this.stream.closed && this.stream.destroyed) throw new Error(`the stream ended: ${JSON.stringify({ error: this.error, exit: this.exit, out: this.stdout.slice(-500) })}`)
      await new Promise<void>((resolve) => {
        const heard = () => {
          this.#listeners.delete(heard)
          resolve()
        }
        this.#listeners.add(heard)
      })
    }
    return this
  }

  started(): Promise<this> {
    return this.until((program) => program.#session !== undefined || program.error !== undefined)
  }

  saw(text: string): Promise<this> {
    return this.until((program) => program.stdout.includes(text))
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  #output(stream: 'stdout' | 'stderr', piece: Buffer): void {
    this.received[stream] += piece.length
    if (this.order.at(-1) !== stream) this.order.push(stream)
    if (this.#options.count !== true) this.#pieces[stream].push(piece)
    if (this.#options.ack === false) return
    const { stdout, stderr } = this.received
    if (stdout + stderr - this.acked.stdout - this.acked.stderr < 256 * 1024) return
    this.acknowledge()
  }

  acknowledge(): void {
    this.acked = { ...this.received }
    if (this.stream.writable) this.stream.write(ackFrame(this.acked.stdout, this.acked.stderr))
  }

  #control(type: number, payload: Buffer): void {
    this.types.push(type)
    if (type === Frame.session) this.#session = JSON.parse(payload.toString()) as SessionInfo
    else if (type === Frame.exit) this.exit = JSON.parse(payload.toString()) as ExitStatus
    else if (type === Frame.skipped) this.skipped.push(JSON.parse(payload.toString()) as { stream: string; bytes: number })
    else if (type === Frame.mark) this.#mark(payload)
    else if (type === Frame.taken) this.taken = payload.readBigUInt64BE()
    else if (type === Frame.disowned) this.disowned = true
    else if (type === Frame.error) this.error = JSON.parse(payload.toString()) as WireError
    else if (type === Frame.done) this.#finish(payload)
  }

  #mark(payload: Buffer): void {
    const offset = Number(payload.readBigUInt64BE(1))
    this.marks.push([payload.readUInt8(0), offset])
    this.received[payload.readUInt8(0) === 2 ? 'stderr' : 'stdout'] = offset
  }

  #finish(payload: Buffer): void {
    this.done = JSON.parse(payload.toString()) as { stdout: number; stderr: number }
    if (this.#options.ack !== false) this.acknowledge()
    this.stream.end()
  }
}
