import { createHash, timingSafeEqual } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { EquippedProvider } from '../../../../src/contract/index.ts'
import { hasCode } from '../errors.ts'
import { Call, json } from './http/call.ts'
import { SPRITE_VERSION } from './sprite/document.ts'
import { answerTo, refuse } from './http/errors.ts'
import { checkpointRoutes } from './routes/checkpoints.ts'
import { execRoutes } from './routes/exec.ts'
import { extensionRoutes } from './routes/extensions.ts'
import { Fleet } from './sprite/fleet.ts'
import { fsRoutes } from './routes/fs.ts'
import { hearOut } from './http/goodbye.ts'
import { answerPings, checkHandshake, keepAlive, refuseUpgrade } from './http/handshake.ts'
import { insideRoutes } from './sprite/inside.ts'
import { linger } from './http/linger.ts'
import { listRoutes } from './routes/list.ts'
import { policyRoutes } from './routes/policy.ts'
import { portRoutes } from './routes/ports.ts'
import { proxyRoutes } from './routes/proxy.ts'
import { type Handler, Router, type SocketHandler, type Upgrade } from './http/router.ts'
import type { Served } from './sprite/served.ts'
import { serviceRoutes } from './routes/services.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { spriteRoutes } from './routes/sprites.ts'
import { taskRoutes } from './routes/tasks.ts'
import { serveUrl, spriteOf, upgradeUrl } from './routes/url.ts'
import { watchRoutes } from './routes/watch.ts'

/** Headers of one request, and one WebSocket message, at most. */
const HEADERS_MAX = 64 * 1024
const MESSAGE_MAX = 16 * 1024 * 1024
const HEADERS_MS = 20_000

export interface ServerOptions {
  readonly provider: EquippedProvider
  /** Every request carries it. */
  readonly token: string
  /** Its own state is in `server` there. */
  readonly dataDir: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default: any that is free. */
  readonly port?: number
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly version: string
  log(line: string): void
}

export interface RunningServer {
  readonly url: string
  close(): Promise<void>
}

/** Local computers over the Sprites API. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { provider, dataDir, host = '127.0.0.1', port = 0, tls } = options
  const fleet = new Fleet(provider, dataDir)
  const front = new Front(fleet, options)
  const settings = { maxHeaderSize: HEADERS_MAX, headersTimeout: HEADERS_MS, requestTimeout: 0, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5000 }
  const server: Server = tls ? createSecure({ ...settings, ...tls }) : createServer(settings)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => void front.answer(request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void front.upgrade(request, socket, head))
  server.on('clientError', (error: Error, socket: Duplex) => refuseUpgrade(socket, hasCode(error, 'HPE_HEADER_OVERFLOW') ? refuse(431, 'too_large', 'the headers are too large') : refuse(400, 'bad_request', 'this is no HTTP'), {}))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port }, () => resolve()))
  const address = server.address() as AddressInfo
  const scheme = tls ? 'https' : 'http'
  fleet.inner = (served, inside, response) => void front.answerInside(served, inside, response)
  fleet.urlOf = (name) => `${scheme}://${name}.localhost:${address.port}/`
  return {
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    async close() {
      server.close()
      front.close()
      server.closeAllConnections()
      await fleet.close()
    },
  }
}

/** What every request meets first. Whatever goes wrong behind it ends that request and nothing else. */
class Front {
  readonly #fleet: Fleet
  readonly #digest: Buffer
  readonly #headers: Readonly<Record<string, string>>
  readonly #log: (line: string) => void
  readonly #router = new Router(listRoutes, spriteRoutes, execRoutes, sessionRoutes, fsRoutes, watchRoutes, checkpointRoutes, policyRoutes, proxyRoutes, portRoutes, serviceRoutes, taskRoutes, extensionRoutes)
  readonly #inside = new Router(insideRoutes)
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX, perMessageDeflate: false, skipUTF8Validation: true, clientTracking: true, autoPong: false })

  constructor(fleet: Fleet, { token, version, log }: ServerOptions) {
    this.#fleet = fleet
    this.#digest = digest(token)
    this.#headers = { 'Sprite-Version': SPRITE_VERSION, 'Sprite-Server': `amux/${version}` }
    this.#log = log
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    const sprite = spriteOf(request)
    if (sprite !== undefined) return serveUrl(this.#fleet, sprite, request, response, this.#isOurs(request))
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value)
    try {
      this.#admit(request)
      const { handler, call } = this.#find(this.#router, request, request.method ?? 'GET')
      response.once('close', () => call.over())
      await (handler as Handler)(call, response)
    } catch (error) {
      this.#fail(request, response, error)
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    let taken = false
    try {
      const sprite = spriteOf(request)
      if (sprite !== undefined) return await upgradeUrl(this.#fleet, sprite, request, socket, head, this.#isOurs(request))
      this.#admit(request)
      const { handler, call } = this.#find(this.#router, request, 'WS')
      checkHandshake(request)
      keepAlive(socket)
      const upgrade: Upgrade = (headers = {}) =>
        new Promise((resolve, reject) => {
          const leave = () => reject(refuse(499, 'gone', 'the client is gone'))
          if (socket.destroyed) return leave()
          socket.once('close', leave)
          taken = true
          const add = (lines: string[]) => void lines.push(...Object.entries({ ...this.#headers, ...headers }).map(([name, value]) => `${name}: ${value}`))
          this.#sockets.once('headers', add)
          this.#sockets.handleUpgrade(request, socket, head, (client) => {
            client.on('error', () => hearOut(client, socket))
            answerPings(client)
            resolve(client)
          })
          this.#sockets.off('headers', add)
        })
      await (handler as SocketHandler)(call, upgrade)
    } catch (error) {
      this.#tell(request, error)
      if (taken) return void socket.destroy()
      refuseUpgrade(socket, error, this.#headers)
    }
  }

  close(): void {
    for (const client of this.#sockets.clients) client.close(1001, 'the server ends')
    setTimeout(() => this.#sockets.clients.forEach((client) => client.terminate()), 500).unref()
  }

  /** A program of the sprite's own, over its management socket: every path is about it, as it is written. */
  async answerInside(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    try {
      const { method = 'GET', url = '' } = request
      if (!url.startsWith('/v1/')) throw refuse(404, 'not_found', `there is no ${url.split('?')[0]}`)
      const { handler, call } = this.#find(this.#inside, request, method, `/v1/sprites/${served.name}${url.slice('/v1'.length)}`)
      response.once('close', () => call.over())
      await (handler as Handler)(call, response)
    } catch (error) {
      this.#fail(request, response, error)
    }
  }

  #find(router: Router, request: IncomingMessage, method: string, target = request.url ?? '/'): { readonly handler: Handler | SocketHandler; readonly call: Call } {
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const { handler, params } = router.find(method, path)
    return { handler, call: new Call(request, this.#fleet, new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)), params) }
  }

  #admit(request: IncomingMessage): void {
    if (this.#isOurs(request)) return
    throw refuse(401, 'unauthorized', request.headers.authorization === undefined ? 'this server needs a token: Authorization: Bearer …' : "the token is not this server's")
  }

  /** It carries the token. */
  #isOurs({ headers: { authorization = '' } }: IncomingMessage): boolean {
    const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? []
    return token !== undefined && timingSafeEqual(digest(token), this.#digest)
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    this.#tell(request, error)
    if (response.headersSent) return void response.destroy()
    const { status, body } = answerTo(error)
    // Strangers are not listened to.
    if (!request.complete && status === 401) response.setHeader('connection', 'close')
    else if (!request.complete) linger(request)
    json(response, status, body)
  }

  #tell({ method, url = '' }: IncomingMessage, error: unknown): void {
    const { status, body } = answerTo(error)
    if (status >= 500) this.#log(`${method} ${url.split('?')[0]}: ${status} ${body.error}: ${body.message}`)
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
