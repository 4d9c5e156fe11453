import type { ByteStream } from '../../../src/contract/index.ts'
import { fail, throwIfAborted } from './errors.ts'
import { Intake } from './intake.ts'
import type { Socket } from './socket.ts'
import type { Sprite } from './sprite.ts'

const REPLY_MS = 15_000
const PIECE = 256 * 1024

/** One raw TCP connection. The service has no end of one direction alone: once we end ours, the other is read to its end. */
export async function openTunnel(sprite: Sprite, port: number, { host = '127.0.0.1', signal }: { readonly host?: string; readonly signal?: AbortSignal } = {}): Promise<ByteStream> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw fail('invalid_argument', `${port} is no TCP port`, { source: 'amux' })
  throwIfAborted(signal)
  const socket = await sprite.client.socket(sprite.path('proxy'), { signal })
  const intake = new Intake()
  const tunnel = new Tunnel(sprite, socket, intake)
  await tunnel.connect(host, port, signal)
  return { source: intake.source, sink: { write: (chunk) => tunnel.write(chunk), end: () => tunnel.end() }, close: () => tunnel.close() }
}

class Tunnel {
  readonly #sprite: Sprite
  readonly #socket: Socket
  readonly #intake: Intake
  #ended = false

  constructor(sprite: Sprite, socket: Socket, intake: Intake) {
    this.#sprite = sprite
    this.#socket = socket
    this.#intake = intake
  }

  async connect(host: string, port: number, signal: AbortSignal | undefined): Promise<void> {
    const replied = new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(this.#fail('unavailable', `${host}:${port} does not answer`)), REPLY_MS)
      let said = false
      this.#socket.listen({
        message: (data, binary) => {
          if (binary) return said ? this.#intake.push(data) : undefined
          clearTimeout(late)
          said = true
          return resolve(data.toString())
        },
        close: (code) => {
          clearTimeout(late)
          reject(this.#fail('connection_lost', 'the connection broke'))
          if (code === 1000 || code === 1001 || this.#ended) this.#intake.end()
          else this.#intake.fail(this.#fail('connection_lost', 'the connection broke'))
        },
      })
    })
    const onAbort = () => this.#socket.terminate()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await this.#socket.send(JSON.stringify({ host, port }))
      const reply = parse(await replied)
      if (reply.status !== 'connected') throw this.#fail('unavailable', reply.error ?? `nothing listens on ${host}:${port}`)
      throwIfAborted(signal)
    } catch (error) {
      this.close()
      throwIfAborted(signal)
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE) if (!(await this.#socket.send(chunk.subarray(at, at + PIECE)))) throw this.#fail('connection_lost', 'the far end is gone')
  }

  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#socket.flushed()
    this.#socket.close()
  }

  close(): void {
    this.#ended = true
    this.#intake.end()
    this.#socket.terminate()
  }

  #fail(code: 'unavailable' | 'connection_lost', message: string): Error {
    return fail(code, message, { source: 'transport', computer: this.#sprite.name, ...(code === 'unavailable' && { hint: `See what listens: amux computer port ls ${this.#sprite.name}` }) })
  }
}

function parse(text: string): { readonly status?: string; readonly error?: string } {
  try {
    const value: unknown = JSON.parse(text)
    return value instanceof Object ? value : {}
  } catch {
    return {}
  }
}
