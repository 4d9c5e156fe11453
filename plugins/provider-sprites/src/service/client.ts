import type { IncomingHttpHeaders } from 'node:http'
import type { ByteSource } from '../../../../src/contract/index.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { isLoopback } from '../../../shared/loopback.ts'
import { explainFirst } from './broken.ts'
import { collect } from './collect.ts'
import { type Answer, Http } from './http.ts'
import { lines } from './lines.ts'
import { isPage, notTheApi, refusal } from './refusals.ts'
import { retrying } from './retry.ts'
import { type Socket, openSocket } from './socket.ts'

const ANSWER_MS = 30_000
/** Of an answer that is read whole: so long without a byte, and it is given up. */
const QUIET_MS = 30_000

/** In which a token may be given. */
const VARIABLES = ['SPRITES_TOKEN', 'SPRITE_TOKEN']

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface CallOptions {
  readonly query?: Query | undefined
  readonly signal?: AbortSignal | undefined
  /** Until the answer begins, in milliseconds. Default 30 s. */
  readonly timeout?: number
}

export interface ClientOptions {
  /** With or without a path. */
  readonly url: string
  readonly token: string
  debug(message: string): void
}

/** The Sprites API. Paths begin with `/v1`; a failure is an `AmuxError` that carries its HTTP `status`. */
export class Client {
  readonly #base: URL
  readonly #token: string
  readonly #debug: (message: string) => void
  readonly #http = new Http()
  #answered = false
  /** Learned from any answer. */
  readonly server: { version: string | undefined; amux: boolean } = { version: undefined, amux: false }

  constructor({ url, token, debug }: ClientOptions) {
    this.#base = checkUrl(url)
    this.#token = checkToken(token)
    this.#debug = debug
  }

  get host(): string {
    return this.#base.host
  }

  /** GET and DELETE, and PUT of the same again, are tried again; anything else only if `again` says that it may be. */
  async json<T>(method: string, path: string, options: CallOptions & { readonly body?: object; readonly again?: boolean } = {}): Promise<T> {
    const { body, again = method !== 'POST' } = options
    const work = async () => parse<T>(await this.#text(await this.#ask(method, path, options, body && Buffer.from(JSON.stringify(body)), 'application/json')))
    return again ? retrying(work, options.signal, this.#debug) : work()
  }

  /** Bytes at the reader's pace. */
  async bytes(method: string, path: string, options: CallOptions & { readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Answer> {
    return retrying(() => this.#ask(method, path, options, undefined, undefined, options.headers), options.signal, this.#debug)
  }

  /** Never tried again: its source is gone. */
  async upload<T>(method: string, path: string, body: Uint8Array | ByteSource, options: CallOptions = {}): Promise<T> {
    return parse<T>(await this.#text(await this.#ask(method, path, { timeout: 0, ...options }, body, 'application/octet-stream')))
  }

  /** NDJSON, document by document. What is no JSON is left out, as the service's own clients do. */
  async *events(method: string, path: string, options: CallOptions & { readonly body?: object; onBegun?(): void } = {}): AsyncGenerator<Readonly<Record<string, unknown>>, void> {
    const { body, onBegun } = options
    const answer = await this.#ask(method, path, { timeout: 0, ...options }, body && Buffer.from(JSON.stringify(body)), 'application/json')
    onBegun?.()
    for await (const line of lines(answer.body)) {
      const event = document(line)
      if (event) yield event
    }
  }

  /** A request whose answer is whatever it is: for `sprites api`. */
  raw(method: string, path: string, options: CallOptions & { readonly body?: Uint8Array; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Answer> {
    return this.#send(method, path, options, options.body, options.body && 'application/json', options.headers)
  }

  /** A failed upgrade is what its HTTP answer says. */
  async socket(path: string, { query, signal }: CallOptions = {}): Promise<Socket> {
    throwIfAborted(signal)
    const url = this.#url(path, query)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = await openSocket(url, this.#headers(), signal)
    this.#learn(socket.headers)
    return socket
  }

  close(): void {
    this.#http.close()
  }

  async #ask(method: string, path: string, options: CallOptions, body?: Uint8Array | ByteSource, type?: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const answer = await this.#send(method, path, options, body, type, headers)
    if (answer.status < 300) return answer
    // Its Authorization header would go along.
    if (answer.status < 400) throw fail('unavailable', `the API at ${this.host} answers with a redirection (${answer.status})`, { source: 'transport', status: answer.status, lasting: true, hint: 'Is the url right? amux provider info sprites' })
    throw refusal(answer.status, answer.headers, await this.#text(answer))
  }

  async #send(method: string, path: string, { query, signal, timeout = ANSWER_MS }: CallOptions, body?: Uint8Array | ByteSource, type?: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const size: Record<string, string> = body instanceof Uint8Array ? { 'content-length': String(body.length) } : {}
    const headers = { ...this.#headers(), ...(body && type !== undefined && { 'content-type': type }), ...size, ...more }
    const url = this.#url(path, query)
    const answer = await this.#http.exchange({ method, url, headers, body, signal, timeout }).catch(async (error: unknown) => {
      throw this.#answered ? error : await explainFirst(error, url)
    })
    this.#debug(`${method} ${path}: ${answer.status}`)
    this.#learn(answer.headers)
    if (answer.status < 300 && isPage(answer.headers, '')) throw notTheApi(answer.status)
    return answer
  }

  #url(path: string, query: Query = {}): URL {
    const url = new URL(`${this.#base.href.replace(/\/+$/, '')}${path}`)
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) url.searchParams.append(name, String(one))
    }
    return url
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}`, 'user-agent': 'amux' }
  }

  #learn(headers: IncomingHttpHeaders): void {
    this.#answered = true
    const version = headers['sprite-version']
    if (typeof version === 'string') this.server.version = version
    if (String(headers['sprite-server'] ?? '').startsWith('amux/')) this.server.amux = true
  }

  async #text({ within }: Answer): Promise<string> {
    return (await collect(within(QUIET_MS), "the API's answer")).toString()
  }
}

/** A sprite's path, its name and the words behind it escaped. */
export function spritePath(name: string, ...words: readonly string[]): string {
  return ['/v1/sprites', name, ...words].map((word, at) => (at === 0 ? word : encodeURIComponent(word))).join('/')
}

/** Where it stands in a variable, that is named; elsewhere it was saved. */
function checkToken(token: string): string {
  if (/^[\x21-\x7e]*$/.test(token)) return token
  const variable = VARIABLES.find((name) => process.env[name] === token)
  throw fail('invalid_argument', `the token ${variable === undefined ? 'that was saved' : `in ${variable}`} has a character that no token has: ${strange(token)}`, {
    source: 'amux',
    hint: variable === undefined ? 'Save it again: amux provider login sprites' : `Set ${variable} anew, with the token alone.`,
  })
}

function strange(token: string): string {
  if (/[\r\n]/.test(token)) return 'a line break'
  return /\s/.test(token) ? 'a space' : 'one outside of ASCII, or a control character'
}

/** In the clear only to this machine: the token goes along. */
function checkUrl(text: string): URL {
  if (!URL.canParse(text)) throw fail('invalid_argument', `${JSON.stringify(text)} is no URL: the setting "url" is the address of the Sprites API`, { source: 'amux', hint: 'Write it like https://api.sprites.dev' })
  const url = new URL(text)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) return url
  throw fail('invalid_argument', `${url.protocol}//${url.host} would have your token in the clear`, { source: 'amux', hint: 'Use https, or an address of this machine.' })
}

function parse<T>(text: string): T {
  if (text.trim() === '') return {} as T
  try {
    // What is missing in it, its reader finds out.
    return JSON.parse(text) as T
  } catch (error) {
    if (isPage({}, text)) throw notTheApi(200)
    throw fail('corrupt', `the Sprites API answered with something that is no JSON: ${JSON.stringify(text.trim().slice(0, 60))}`, { cause: error, hint: 'Is it the Sprites API that answers there? amux provider info sprites' })
  }
}

function document(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString())
    return value instanceof Object ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
