import type * as Http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import type { AmuxError } from '../../contract/index.ts'
import { type ErrorDetails, fail, normalise } from '../../errors/index.ts'
import { Heartbeat } from './heartbeat.ts'
import { CANCEL } from './wire.ts'

/** Enough for full speed over a unix socket; what one reader that stopped reading can make us keep. */
const STREAM_WINDOW = 4 * 1024 * 1024
/** The largest there is: one stalled stream must never hold up another. */
const SESSION_WINDOW = 2 ** 31 - 1
const FRAME_SIZE = 1024 * 1024

export type Headers = Readonly<Record<string, string>>

/** One HTTP/2 connection to a guest. Once lost it stays lost. */
export class Connection {
  readonly #http: Http2.ClientHttp2Session
  readonly #details: ErrorDetails
  readonly #onLost: (() => void)[] = []
  readonly #heartbeat: Heartbeat
  #streams = 0
  #failure: AmuxError | undefined

  constructor(duplex: Duplex, details: ErrorDetails = {}) {
    this.#details = details
    const http2: typeof Http2 = process.getBuiltinModule('node:http2')
    const settings = { enablePush: false, initialWindowSize: STREAM_WINDOW, maxFrameSize: FRAME_SIZE }
    this.#http = http2.connect('http://amux', {
      createConnection: () => duplex,
      settings,
      maxSessionMemory: 4096,
      peerMaxConcurrentStreams: 100_000,
    })
    this.#http.once('connect', () => {
      if (!this.#http.destroyed) this.#http.setLocalWindowSize(SESSION_WINDOW)
    })
    this.#http.on('error', (error) => this.#fail(normalise(error)))
    this.#http.on('goaway', () => this.#lose())
    this.#http.on('close', () => this.#lose())
    duplex.on('error', (error) => this.#fail(normalise(error)))
    this.#heartbeat = new Heartbeat(this.#http, () => this.#fail(fail('connection_lost', 'the computer no longer answers')))
  }

  get lost(): boolean {
    // Node ends its streams first and tells later.
    return this.#failure !== undefined || this.#http.destroyed || this.#http.closed
  }

  get unused(): boolean {
    return this.#streams === 0
  }

  /** Why it was lost, for whoever was using it. */
  failure(): AmuxError {
    const { code, message } = this.#failure ?? fail('connection_lost', 'the connection to the computer broke')
    return fail(code, message, { source: 'transport', ...this.#details })
  }

  /** Tells why it will break, before it does. */
  blame(error: Error): void {
    this.#failure ??= normalise(error)
  }

  /** A body follows unless `last`. */
  request(method: string, path: string, headers: Headers = {}, last = false): Http2.ClientHttp2Stream {
    if (this.lost) throw this.failure()
    const stream = this.#http.request({ ':method': method, ':path': path, ...headers }, { endStream: last })
    stream.on('error', ignore)
    if (this.#streams++ === 0) this.#heartbeat.start()
    stream.once('close', () => {
      if (--this.#streams === 0) this.#heartbeat.stop()
    })
    return stream
  }

  onLost(listener: () => void): void {
    if (this.lost) listener()
    else this.#onLost.push(listener)
  }

  /** Takes nothing new, lets what runs finish. Resolves once all that was said has been sent. */
  finish(): Promise<void> {
    if (this.#http.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#http.once('close', resolve)
      this.#http.close()
    })
  }

  destroy(): void {
    this.#fail(fail('connection_lost', 'the connection was closed'))
  }

  #fail(error: AmuxError): void {
    this.#failure ??= error
    this.#lose()
    // With a code: what is cut off without one looks like what has ended well.
    this.#http.destroy(undefined, CANCEL)
  }

  #lose(): void {
    this.#failure ??= fail('connection_lost', 'the connection to the computer broke')
    this.#heartbeat.stop()
    for (const listener of this.#onLost.splice(0)) listener()
  }
}

function ignore(): void {
  // Whoever uses the stream hears of it by its `close`.
}
