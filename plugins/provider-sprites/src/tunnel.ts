import type { ByteStream } from '../../../src/contract/index.ts'
import { fail, throwIfAborted } from './errors.ts'
import { Intake } from '../../shared/intake.ts'
import { parseMessage } from './service/message.ts'
import type { Socket } from './service/socket.ts'
import type { Sprite } from './sprite.ts'

const REPLY_MS = 15_000
/** Larger ones are joined at the far end, each in memory of its own. */
const PIECE = 16 * 1024
/** The service knows no end of one direction: once ours has ended, so much silence from the other is its end. */
const SILENCE_MS = 2000

/** One raw TCP connection. */
export async function openTunnel(sprite: Sprite, port: number, { host = '127.0.0.1', signal }: { readonly host?: string; readonly signal?: AbortSignal } = {}): Promise<ByteStream> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw fail('invalid_argument', `${port} is no TCP port`, { source: 'amux' })
  throwIfAborted(signal)
  const socket = await sprite.client.socket(sprite.path('proxy'), { signal })
  const tunnel = new Tunnel(sprite, socket)
  const onAbort = () => tunnel.close()
  signal?.addEventListener('abort', onAbort, { once: true })
  void tunnel.closed.then(() => signal?.removeEventListener('abort', onAbort))
  try {
    await tunnel.connect(host, port)
  } catch (error) {
    tunnel.close()
    throwIfAborted(signal)
    throw error
  }
  return { source: tunnel.intake.source, sink: { write: (chunk) => tunnel.write(chunk), end: () => tunnel.end() }, close: () => tunnel.close() }
}

class Tunnel {
  readonly intake = new Intake()
  readonly closed: Promise<void>
  readonly #sprite: Sprite
  readonly #socket: Socket
  /** Our own server's: each direction ends on its own. */
  readonly #apart: boolean
  #ended = false
  #over = false
  #quiet: NodeJS.Timeout | undefined
  #reply: { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void } | undefined
  #close: () => void = () => {}

  constructor(sprite: Sprite, socket: Socket) {
    this.#sprite = sprite
    this.#socket = socket
    this.#apart = String(socket.headers['sprite-server'] ?? '').startsWith('amux/')
    this.closed = new Promise((resolve) => (this.#close = resolve))
    socket.listen({ message: (data, binary) => this.#take(data, binary), close: (code) => this.#closed(code) })
  }

  async connect(host: string, port: number): Promise<void> {
    const replied = new Promise<string>((resolve, reject) => (this.#reply = { resolve, reject }))
    const late = setTimeout(() => this.#reply?.reject(this.#fail('unavailable', `${host}:${port} does not answer`)), REPLY_MS)
    try {
      await this.#socket.send(JSON.stringify({ host, port, ...(this.#apart && { ends: true }) }))
      const { status, error } = parseMessage(await replied)
      if (status !== 'connected') throw this.#fail('unavailable', typeof error === 'string' ? error : `nothing listens on ${host}:${port}`)
    } finally {
      clearTimeout(late)
      this.#reply = undefined
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE) {
      if (this.#ended || !(await this.#socket.send(chunk.subarray(at, at + PIECE)))) throw this.#fail('connection_lost', 'the far end is gone')
    }
  }

  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    if (this.#apart) await this.#socket.send('end')
    await this.#socket.flushed()
    if (this.#over) this.#socket.close()
    else if (!this.#apart) this.#wait()
  }

  close(): void {
    this.#ended = true
    this.#over = true
    clearTimeout(this.#quiet)
    this.intake.end()
    this.#socket.terminate()
    this.#close()
  }

  #take(data: Buffer, binary: boolean): void | Promise<void> {
    if (!binary) {
      const text = data.toString()
      if (this.#reply) this.#reply.resolve(text)
      else if (this.#apart && text === 'end') this.#otherEnd()
      return
    }
    if (this.#ended && !this.#apart) this.#wait()
    return this.intake.push(data)
  }

  #otherEnd(): void {
    this.#over = true
    this.intake.end()
    if (this.#ended) this.#socket.close()
  }

  #wait(): void {
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => this.#socket.close(), SILENCE_MS)
  }

  #closed(code: number): void {
    clearTimeout(this.#quiet)
    this.#reply?.reject(this.#fail('connection_lost', 'the connection broke'))
    if (code === 1000 || code === 1001 || this.#over) this.intake.end()
    else this.intake.fail(this.#fail('connection_lost', 'the connection broke'))
    this.#close()
  }

  #fail(code: 'unavailable' | 'connection_lost', message: string): Error {
    return fail(code, message, { source: 'transport', computer: this.#sprite.name, ...(code === 'unavailable' && { hint: `See what listens: amux computer port ls ${this.#sprite.name}` }) })
  }
}
