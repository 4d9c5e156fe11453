import type { ClientHttp2Stream } from 'node:http2'
import type { ByteSource } from '../../contract/index.ts'
import { fail, hasCode, normalise } from '../../errors/index.ts'
import { collect, drained, sourceOf } from '../../util/streams.ts'
import type { Connection, Headers } from './connection.ts'
import { names } from './exit.ts'
import type { CallHost } from './host.ts'
import { parseJson, wireError } from './wire.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface CallOptions {
  readonly query?: Query
  readonly signal?: AbortSignal | undefined
}

/** The guest's surface, one request at a time. */
export class Calls {
  readonly #host: CallHost

  constructor(host: CallHost) {
    this.#host = host
  }

  /** Reading changes nothing: it is asked once more when the connection turns out to be dead. */
  async get<T>(path: string, looksRight: (value: object) => boolean, options: CallOptions = {}): Promise<T> {
    const ask = async () => parseJson<T>(await this.#exchange('GET', path, options), looksRight)
    return ask().catch((error: unknown) => {
      if (!hasCode(error, 'connection_lost') || options.signal?.aborted === true) throw error
      return ask()
    })
  }

  async send(method: string, path: string, options: CallOptions & { readonly body?: unknown } = {}): Promise<Buffer> {
    const { body } = options
    return this.#exchange(method, path, options, body === undefined ? undefined : Buffer.from(JSON.stringify(body)))
  }

  async upload(method: string, path: string, data: ByteSource | Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#exchange(method, path, options, data)
  }

  /** The body of an answer, at the reader's pace. */
  async *download(path: string, options: CallOptions = {}): AsyncGenerator<Uint8Array, void> {
    const { stream, connection } = await this.open('GET', path, options, true)
    const off = onAbort(stream, options.signal)
    let whole = false
    try {
      for await (const chunk of sourceOf(stream)) yield chunk
      options.signal?.throwIfAborted()
      whole = stream.rstCode === 0
      if (!whole) throw fail('connection_lost', 'the transfer broke off')
    } catch (error) {
      throw this.#explain(connection.lost ? connection.failure() : error, options.signal)
    } finally {
      off()
      if (!whole) cancel(stream)
    }
  }

  /** A request whose answer has begun well. */
  async open(method: string, path: string, options: CallOptions, last: boolean): Promise<{ stream: ClientHttp2Stream; connection: Connection }> {
    options.signal?.throwIfAborted()
    const connection = await this.#host.connection(options.signal)
    const stream = connection.request(method, withQuery(path, options.query), this.#headers(last), last)
    const off = onAbort(stream, options.signal)
    try {
      await this.#answered(stream, connection)
    } catch (error) {
      throw this.#explain(error, options.signal)
    } finally {
      off()
    }
    return { stream, connection }
  }

  async #exchange(method: string, path: string, { query, signal }: CallOptions, body?: ByteSource | Uint8Array): Promise<Buffer> {
    if (signal?.aborted === true) throw normalise(signal.reason)
    const connection = await this.#host.connection(signal)
    const stream = connection.request(method, withQuery(path, query), this.#headers(body === undefined), body === undefined)
    const off = onAbort(stream, signal)
    try {
      const sending = body === undefined ? undefined : feed(stream, body)
      const answered = this.#answered(stream, connection)
      // A refusal may come before everything was sent; a source that fails ends the request.
      await Promise.race([answered, ...(sending === undefined ? [] : [sending.then(() => answered)])])
      return await collect(sourceOf(stream), 64 * 1024 * 1024)
    } catch (error) {
      cancel(stream)
      throw this.#explain(error, signal)
    } finally {
      off()
    }
  }

  #answered(stream: ClientHttp2Stream, connection: Connection): Promise<void> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(connection.lost ? connection.failure() : fail('connection_lost', 'the request was cut off', { source: 'transport' }))
      stream.once('close', onClose)
      stream.once('response', (headers) => {
        stream.off('close', onClose)
        const status = headers[':status'] ?? 0
        if (status < 400) return resolve()
        collect(sourceOf(stream)).then((payload) => reject(wireError(payload, status)), reject)
      })
    })
  }

  #headers(last: boolean): Headers {
    return last ? this.#host.headers : { 'content-type': 'application/octet-stream', ...this.#host.headers }
  }

  #explain(error: unknown, signal: AbortSignal | undefined): Error {
    return normalise(signal?.aborted === true ? signal.reason : error, { source: 'transport', ...names(this.#host) })
  }
}

async function feed(stream: ClientHttp2Stream, body: ByteSource | Uint8Array): Promise<void> {
  if (body instanceof Uint8Array) return void stream.end(body)
  for await (const chunk of body) if (!stream.write(chunk) && !(await drained(stream))) return
  stream.end()
}

function onAbort(stream: ClientHttp2Stream, signal: AbortSignal | undefined): () => void {
  const abort = () => cancel(stream)
  signal?.addEventListener('abort', abort)
  return () => signal?.removeEventListener('abort', abort)
}

/** Not `close`: that ends the request in good order first, and half an upload would pass for the whole. */
export function cancel(stream: ClientHttp2Stream): void {
  stream.destroy()
}

function withQuery(path: string, query: Query = {}): string {
  const parts = Object.entries(query).filter(([, value]) => value !== undefined && value !== false)
  if (parts.length === 0) return path
  return `${path}?${parts.map(([key, value]) => `${key}=${value === true ? '1' : encodeURIComponent(String(value))}`).join('&')}`
}
