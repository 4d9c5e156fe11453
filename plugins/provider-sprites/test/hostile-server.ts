import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** Speaks the Sprites API, means no good, and remembers how much of it was taken. */
export class Hostile {
  /** By method and path; what is not here is 404. `head`, then `flood` again and again as fast as it is taken; without it, no more. */
  readonly answers = new Map<string, { readonly status?: number; readonly head?: string; readonly flood?: Buffer; readonly page?: (query: URLSearchParams) => object }>()
  readonly sockets = new Map<string, (socket: WebSocket, hostile: Hostile) => void>()
  /** Of sockets, by path, as they are on the wire, to their end. */
  readonly refusals = new Map<string, string>()
  taken = 0
  requests = 0
  /** Those whose answer somebody still reads. */
  open = 0
  readonly #server: Server
  readonly #ws = new WebSocketServer({ noServer: true })

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head))
  }

  static async listen(): Promise<Hostile> {
    const hostile = new Hostile()
    hostile.#server.listen(0, '127.0.0.1')
    await once(hostile.#server, 'listening')
    return hostile
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    for (const client of this.#ws.clients) client.terminate()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Sends the same again and again, as fast as it is taken. */
  flood(socket: WebSocket, message: string | Buffer): void {
    const next = () => {
      if (socket.readyState !== socket.OPEN) return
      this.taken += message.length
      socket.send(message, () => setImmediate(next))
    }
    next()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
    this.requests++
    const answer = this.answers.get(`${request.method} ${pathname}`)
    if (!answer) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not_found","message":"no"}')
    this.open++
    response.once('close', () => this.open--)
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' })
    if (answer.page) return void response.end(JSON.stringify(answer.page(searchParams)))
    response.write(answer.head ?? '')
    if (answer.flood) await this.#pour(response, answer.flood)
  }

  async #pour(response: ServerResponse, piece: Buffer): Promise<void> {
    while (!response.destroyed) {
      this.taken += piece.length
      await new Promise<void>((resolve) => response.write(piece, () => resolve()))
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const serve = this.sockets.get(pathname)
    socket.on('error', () => socket.destroy())
    if (serve) return this.#ws.handleUpgrade(request, socket, head, (client) => serve(client, this))
    const broken = this.refusals.get(pathname)
    if (broken !== undefined) return void socket.end(broken)
    // A refusal that does not end.
    socket.write('HTTP/1.1 400 no\r\ncontent-type: text/plain\r\n\r\n')
    const next = () => {
      this.taken += 65_536
      socket.write(Buffer.alloc(65_536, 'n'), (error) => !error && !socket.destroyed && setImmediate(next))
    }
    next()
  }
}
