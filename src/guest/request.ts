import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { Path } from '../protocol/index.ts'
import type { Guest } from './guest.ts'
import { GuestError, statusOf, toGuestError, toWire } from './wire.ts'

/** One request as a handler sees it. */
export class Request {
  readonly guest: Guest
  readonly stream: ServerHttp2Stream
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams

  constructor(guest: Guest, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    const target = String(headers[':path'] ?? '/')
    const mark = target.indexOf('?')
    this.guest = guest
    this.stream = stream
    this.method = String(headers[':method'] ?? 'GET')
    this.path = mark === -1 ? target : target.slice(0, mark)
    this.query = new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1))
  }

  /** The part of the path that names a session or a service. */
  get id(): string {
    if (![Path.sessions, Path.services, Path.runs].some((path) => this.path.startsWith(`${path}/`))) return ''
    try {
      return decodeURIComponent(this.path.split('/')[3] ?? '')
    } catch {
      throw new GuestError('invalid_argument', 'the path is badly escaped')
    }
  }

  /** Fires when the client is gone or has cancelled. */
  get signal(): AbortSignal {
    const controller = new AbortController()
    if (this.stream.destroyed || this.stream.closed) controller.abort()
    else this.stream.once('close', () => controller.abort())
    return controller.signal
  }

  text(name: string): string {
    const value = this.query.get(name)
    if (value === null) throw new GuestError('invalid_argument', `the parameter ${JSON.stringify(name)} is missing`)
    return value
  }

  optional(name: string): string | undefined {
    return this.query.get(name) ?? undefined
  }

  flag(name: string): boolean {
    const value = this.query.get(name)
    return value === '1' || value === 'true'
  }

  /** A whole number from 0. */
  number(name: string): number | undefined {
    const value = this.query.get(name)
    if (value === null) return undefined
    if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) throw new GuestError('invalid_argument', `${JSON.stringify(value)} is no ${name}: a whole number is needed`)
    return Number(value)
  }

  json(document: unknown, status = 200): void {
    if (this.stream.destroyed || this.stream.headersSent) return
    this.stream.respond({ ':status': status, 'content-type': 'application/json' })
    this.stream.end(JSON.stringify(document))
  }

  /** Begins an answer of one document a line, until the client leaves. */
  lines(): void {
    this.stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' })
  }

  /** A client that lags by `most` bytes does not read: it is cut off, for it would miss what comes next. */
  line(document: object, most = LAG_MAX): void {
    if (this.stream.writableLength < most) this.stream.write(`${JSON.stringify(document)}\n`)
    else this.stream.destroy(new Error('the client does not read'))
  }

  done(): void {
    if (this.stream.destroyed || this.stream.headersSent) return
    this.stream.respond({ ':status': 204 }, { endStream: true })
  }

  /**
   * Ends the request with a failure: as a document while nothing was sent, else by a reset, which no client can take
   * for a complete answer. An upload that nobody will read any more is stopped.
   */
  fail(error: unknown): void {
    const { stream } = this
    if (stream.destroyed || stream.closed) return
    // `close` would end the answer in good order first, and a part would pass for the whole.
    if (stream.headersSent) return void stream.destroy(toGuestError(error))
    const wire = toWire(error)
    this.json(wire, statusOf(wire.code))
    if (!stream.readableEnded) stream.close()
  }

  /** The uploaded bytes. Throws where the client left before the end: a part must never pass for the whole. */
  async *body(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#chunks()) yield chunk
    if (this.stream.aborted || this.stream.rstCode !== 0) throw new GuestError('aborted', 'the client left before the end of the upload')
  }

  /** Whoever stops reading early still has to answer, so the stream outlives its reader. */
  #chunks(): AsyncIterable<Buffer> {
    return this.stream.iterator({ destroyOnReturn: false })
  }

  /** The body as JSON, of a size that a person could have written. */
  async document(): Promise<Record<string, unknown>> {
    const pieces: Buffer[] = []
    let size = 0
    for await (const chunk of this.#chunks()) {
      pieces.push(chunk)
      size += chunk.length
      if (size > BODY_MAX) throw new GuestError('invalid_argument', 'the request body is too large')
    }
    try {
      const value: unknown = JSON.parse(Buffer.concat(pieces).toString() || '{}')
      if (value instanceof Object && !Array.isArray(value)) return value as Record<string, unknown>
    } catch (error) {
      throw new GuestError('invalid_argument', 'the request body is no JSON', { cause: error })
    }
    throw new GuestError('invalid_argument', 'the request body is no JSON object')
  }
}

const BODY_MAX = 1024 * 1024
const LAG_MAX = 4 * 1024 * 1024

export type Handler = (request: Request) => void | Promise<void>
