import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { ByteSource } from '../../../../src/contract/index.ts'
import { fail, given } from '../errors.ts'
import { explain } from './broken.ts'

const CONNECT_MS = 10_000

export interface Exchange {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | ByteSource | undefined
  readonly signal?: AbortSignal | undefined
  /** Until the answer begins, in milliseconds; 0: for ever. */
  readonly timeout: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Errors are ours; leaving early gives the connection up. */
  readonly body: ByteSource
  /** The same, given up as `connection_lost` after so many milliseconds without a byte. */
  within(quiet: number): ByteSource
}

/** Requests over connections that are kept. What goes wrong below HTTP is `unavailable` before an answer, `connection_lost` in it. */
export class Http {
  readonly #plain = new Agent({ keepAlive: true, keepAliveMsecs: 15_000, timeout: 0 })
  readonly #secure = new SecureAgent({ keepAlive: true, keepAliveMsecs: 15_000, timeout: 0 })

  async exchange(exchange: Exchange): Promise<Answer> {
    const { signal, timeout, body } = exchange
    if (signal?.aborted) throw given(signal)
    const request = this.#begin(exchange)
    const onAbort = () => request.destroy(given(signal) as Error)
    signal?.addEventListener('abort', onAbort, { once: true })
    const late = timeout > 0 ? setTimeout(() => request.destroy(fail('unavailable', `no answer within ${Math.round(timeout / 1000)} s`, { source: 'transport' })), timeout) : undefined
    try {
      const answered = answer(request)
      // A refusal may come before everything was sent.
      answered.catch(() => undefined)
      const sent = send(request, body)
      const response = await Promise.race([answered, sent.then(() => answered)])
      clearTimeout(late)
      const off = () => signal?.removeEventListener('abort', onAbort)
      response.once('close', off)
      return { status: response.statusCode ?? 0, headers: response.headers, body: chunks(response, signal), within: (quiet) => chunks(response, signal, quiet) }
    } catch (error) {
      clearTimeout(late)
      signal?.removeEventListener('abort', onAbort)
      request.destroy()
      throw signal?.aborted ? given(signal) : explain(error, exchange.url)
    }
  }

  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }

  #begin({ method, url, headers }: Exchange): ClientRequest {
    const secure = url.protocol === 'https:'
    const request = (secure ? secureRequest : plainRequest)(url, { method, headers, agent: secure ? this.#secure : this.#plain })
    request.on('socket', (socket) => {
      if (!socket.connecting) return
      const slow = setTimeout(() => request.destroy(fail('unavailable', `cannot reach ${url.host} within ${CONNECT_MS / 1000} s`, { source: 'transport' })), CONNECT_MS)
      socket.once('connect', () => clearTimeout(slow)).once('close', () => clearTimeout(slow))
    })
    return request
  }
}

function answer(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    request.on('close', () => reject(fail('connection_lost', 'the connection broke before the answer', { source: 'transport' })))
  })
}

async function send(request: ClientRequest, body: Exchange['body']): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) return void request.end(body)
  for await (const chunk of body) {
    if (request.destroyed) return
    if (!request.write(chunk)) await drained(request)
  }
  request.end()
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done).off('close', done)
      resolve()
    }
    request.on('drain', done).on('close', done)
  })
}

async function* chunks(response: IncomingMessage, signal: AbortSignal | undefined, quiet = 0): AsyncGenerator<Uint8Array, void> {
  const pieces: AsyncIterator<Uint8Array> = response[Symbol.asyncIterator]()
  const next = async () => {
    const late = quiet > 0 ? setTimeout(() => response.destroy(fail('connection_lost', `the answer broke off: nothing came for ${Math.round(quiet / 1000)} s`, { source: 'transport' })), quiet) : undefined
    return pieces.next().finally(() => clearTimeout(late))
  }
  try {
    for (let piece = await next(); piece.done !== true; piece = await next()) yield piece.value
    if (!response.complete) throw fail('connection_lost', 'the answer broke off', { source: 'transport' })
  } catch (error) {
    if (signal?.aborted) throw given(signal)
    throw error instanceof Error && 'source' in error ? error : fail('connection_lost', 'the answer broke off', { source: 'transport', cause: error })
  } finally {
    if (!response.complete) response.destroy()
  }
}
