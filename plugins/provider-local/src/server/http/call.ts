import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { refuse } from './errors.ts'
import type { Fleet } from '../sprite/fleet.ts'
import type { Served } from '../sprite/served.ts'

/** A document that a person could have written. */
const DOCUMENT_MAX = 1024 * 1024
const DOCUMENT_MS = 30_000
const LINE_QUEUE_MAX = 4 * 1024 * 1024

/** One request, whether it becomes a WebSocket or not. */
export class Call {
  readonly request: IncomingMessage
  readonly fleet: Fleet
  readonly query: URLSearchParams
  readonly params: Readonly<Record<string, string>>
  readonly #socket: Socket
  readonly #gone = new AbortController()

  constructor(request: IncomingMessage, fleet: Fleet, query: URLSearchParams, params: Readonly<Record<string, string>>) {
    this.request = request
    this.fleet = fleet
    this.query = query
    this.params = params
    // A request that was destroyed has none any more.
    this.#socket = request.socket
    this.#socket.setMaxListeners(0).once('close', this.#onClose)
    if (this.#socket.destroyed) this.#onClose()
  }

  readonly #onClose = (): void => this.#gone.abort(new Error('the client is gone'))

  /** It is answered: its connection may carry others. */
  over(): void {
    this.#socket.off('close', this.#onClose)
  }

  /** Fires when the client is gone. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  param(name: string): string {
    return this.params[name] ?? ''
  }

  /** The sprite that the path names. */
  sprite(): Promise<Served> {
    return this.fleet.get(this.param('name'))
  }

  flag(name: string): boolean {
    return this.query.get(name) === 'true'
  }

  text(name: string): string {
    const value = this.query.get(name)
    if (value === null || value === '') throw refuse(400, 'invalid_request', `the parameter ${name} is missing`)
    return value
  }

  /** A whole number from 0. */
  number(name: string): number | undefined {
    const value = this.query.get(name)
    if (value === null || value === '') return undefined
    if (!/^\d{1,15}$/.test(value)) throw refuse(400, 'invalid_request', `${name} is no number`)
    return Number(value)
  }

  /** The body as it comes. Who stops reading can still answer. */
  chunks(): AsyncIterable<Buffer> {
    return this.request.iterator({ destroyOnReturn: false })
  }

  /** The body as a JSON object; nothing is an empty one. Whoever takes too long to send it is gone. */
  async document(): Promise<Readonly<Record<string, unknown>>> {
    const parts: Buffer[] = []
    let size = 0
    const slow = setTimeout(() => this.request.destroy(), DOCUMENT_MS)
    this.request.once('close', () => clearTimeout(slow))
    for await (const part of this.chunks()) {
      size += part.length
      if (size > DOCUMENT_MAX) throw refuse(413, 'too_large', 'the body is too large')
      parts.push(part)
    }
    return parseDocument(Buffer.concat(parts).toString())
  }
}

export function parseDocument(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (value instanceof Object && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    throw refuse(400, 'invalid_json', 'the body is no JSON')
  }
  throw refuse(400, 'invalid_json', 'the body is no JSON object')
}

export function json(response: ServerResponse, status: number, document: unknown): void {
  const text = `${JSON.stringify(document)}\n`
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

export function nothing(response: ServerResponse, status = 204): void {
  response.writeHead(status).end()
}

/** An answer of one document a line, as they come. */
export function lines(response: ServerResponse): (document: object) => void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  response.flushHeaders()
  return (document) => {
    if (response.writableLength > LINE_QUEUE_MAX) response.destroy(new Error('the client does not read'))
    else response.write(`${JSON.stringify(document)}\n`)
  }
}
