import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { fail, given } from '../errors.ts'
import { isLoopback } from '../../../shared/loopback.ts'
import { explain } from './broken.ts'
import { refusal } from './refusals.ts'

const CONNECT_MS = 30_000
/** Nothing heard for the second of them: the connection is dead, whatever TCP says. */
const PING_MS = 15_000
const SILENCE_MS = 45_000
/** Waiting to be sent, in bytes: more and the sender waits. */
const HIGH = 1024 * 1024
const MESSAGE_MAX = 32 * 1024 * 1024
const TEXT_MAX = 64 * 1024

export interface SocketEvents {
  /** Return a promise and nothing more comes until it settles. */
  message(data: Buffer, binary: boolean): void | Promise<void>
  /** Told once; 1006: it broke. */
  close(code: number): void
}

/** One WebSocket. Nothing is heard before `listen`. */
export class Socket {
  readonly headers: IncomingHttpHeaders
  readonly #socket: WebSocket
  readonly #timer: NodeJS.Timeout
  #heard = Date.now()
  #queued = 0
  #wake: (() => void)[] = []
  #code: number | undefined
  readonly #early: [Buffer, boolean][] = []
  #events: SocketEvents | undefined

  constructor(socket: WebSocket, headers: IncomingHttpHeaders) {
    this.#socket = socket
    this.headers = headers
    this.#timer = setInterval(() => this.#check(), PING_MS)
    this.#timer.unref()
    const alive = () => (this.#heard = Date.now())
    socket.on('ping', alive).on('pong', alive)
    socket.on('message', (data: Buffer, binary) => {
      alive()
      this.#take(data, binary)
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', (code) => this.#closed(code))
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  listen(events: SocketEvents): void {
    this.#events = events
    for (const [data, binary] of this.#early.splice(0)) this.#take(data, binary)
    if (this.#code !== undefined) events.close(this.#code)
  }

  /** Resolves once more may be sent. False: it is gone. */
  async send(data: Uint8Array | string): Promise<boolean> {
    if (!this.open) return false
    const size = data.length
    this.#queued += size
    this.#socket.send(data, () => {
      this.#queued -= size
      if (this.#queued <= HIGH) this.#tell()
    })
    while (this.open && this.#queued > HIGH) await new Promise<void>((resolve) => this.#wake.push(resolve))
    return this.open
  }

  /** Everything that was sent has left. */
  async flushed(): Promise<void> {
    while (this.open && this.#queued > 0) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve)
        setTimeout(resolve, 5)
      })
    }
  }

  close(code = 1000): void {
    this.#socket.close(code)
    // Nobody waits for a goodbye that does not come.
    const late = setTimeout(() => this.#socket.terminate(), 2000)
    late.unref()
    this.#socket.once('close', () => clearTimeout(late))
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #take(data: Buffer, binary: boolean): void {
    if (!this.#events) return void this.#early.push([data, binary])
    const busy = this.#events.message(data, binary)
    if (!busy) return
    this.#socket.pause()
    void busy.finally(() => this.#socket.resume())
  }

  #check(): void {
    // Who does not read cannot hear.
    if (this.#socket.isPaused) this.#heard = Date.now()
    if (Date.now() - this.#heard > SILENCE_MS) return this.#socket.terminate()
    this.#socket.ping()
  }

  #closed(code: number): void {
    clearInterval(this.#timer)
    this.#code = code
    this.#tell()
    this.#events?.close(code)
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

export function openSocket(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      headers,
      handshakeTimeout: CONNECT_MS,
      perMessageDeflate: false,
      maxPayload: MESSAGE_MAX,
      skipUTF8Validation: true,
      followRedirects: false,
      // Masks are against what stands between and understands half of it: on one machine that is nobody, and to mask costs more than to send.
      ...(isLoopback(url) && { generateMask: (mask) => void mask.fill(0) }),
    })
    const onAbort = () => refuse(given(signal))
    let answered: IncomingHttpHeaders = {}
    let wrapped: Socket | undefined
    const refuse = (error: unknown) => {
      signal?.removeEventListener('abort', onAbort)
      reject(error)
      socket.on('error', () => undefined)
      socket.terminate()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    // Before it opens: what comes with the answer must not be lost.
    socket.once('upgrade', (response: IncomingMessage) => (answered = response.headers))
    socket.once('unexpected-response', (_request, response: IncomingMessage) => void read(response).then((text) => refuse(refusal(response.statusCode ?? 0, response.headers, text))))
    socket.once('error', (error) => refuse(/timed out/.test(error.message) ? fail('unavailable', `no answer from ${url.host}`, { source: 'transport', cause: error }) : explain(error, url)))
    socket.once('open', () => {
      signal?.removeEventListener('abort', onAbort)
      wrapped = new Socket(socket, answered)
      resolve(wrapped)
    })
  })
}

/** How it begins: a refusal need not end. Where it broke off, its status says enough. */
async function read(response: IncomingMessage): Promise<string> {
  const late = setTimeout(() => response.destroy(), CONNECT_MS)
  let text = ''
  try {
    for await (const part of response) if ((text += String(part)).length >= TEXT_MAX) break
  } catch {
    return ''
  } finally {
    clearTimeout(late)
  }
  return text.slice(0, TEXT_MAX)
}
