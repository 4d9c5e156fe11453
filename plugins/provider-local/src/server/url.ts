import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, request as forward } from 'node:http'
import type { Duplex } from 'node:stream'
import { duplexOf } from './duplex.ts'
import { answerTo, codeOf, refuse } from './errors.ts'
import type { Fleet } from './fleet.ts'
import type { Served } from './served.ts'

/** Without a service that has an HTTP port. */
const USUAL = 8080
/** A service that was just started needs a moment until it listens. */
const TRIES = 30
const TRY_MS = 200

/** Between two neighbours only. */
const hops: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** `http://NAME.localhost:PORT/`: which sprite is meant, if one is. */
export function spriteOf({ headers: { host = '' } }: IncomingMessage): string | undefined {
  return /^([a-z][a-z0-9-]*)\.localhost(?::\d+)?$/.exec(host)?.[1]
}

/** A sprite's own HTTP, for those who may. `authorized`: the request carries the server's token. */
export async function serveUrl(fleet: Fleet, name: string, request: IncomingMessage, response: ServerResponse, authorized: boolean): Promise<void> {
  try {
    const connection = await open(fleet, name, authorized)
    const { method = 'GET', url = '/', headers } = request
    const inner = forward({ method, path: url, headers: endToEnd(headers, authorized), createConnection: () => connection })
    inner.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.headers, false))
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    inner.once('error', () => (response.headersSent ? response.destroy() : plain(response, 502, 'what listens there gave no answer\n')))
    response.once('close', () => connection.destroy())
    request.pipe(inner)
  } catch (error) {
    const { status, body } = answerTo(error)
    plain(response, codeOf(error) === 'unavailable' ? 502 : status, `${body.message}\n`)
  }
}

/** The same for a WebSocket: what both say is theirs. */
export async function upgradeUrl(fleet: Fleet, name: string, request: IncomingMessage, socket: Duplex, head: Buffer, authorized: boolean): Promise<void> {
  const connection = await open(fleet, name, authorized)
  const { method = 'GET', url = '/', rawHeaders } = request
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [header = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]]
    if (!(authorized && header.toLowerCase() === 'authorization')) lines.push(`${header}: ${value}`)
  }
  connection.write(`${lines.join('\r\n')}\r\n\r\n`)
  connection.write(head)
  socket.pipe(connection).on('error', () => socket.destroy())
  connection.pipe(socket).on('error', () => connection.destroy())
  socket.once('close', () => connection.destroy())
  connection.once('close', () => socket.destroy())
}

async function open(fleet: Fleet, name: string, authorized: boolean): Promise<Duplex> {
  const served = await fleet.get(name)
  const { urlAuth } = await served.meta()
  if (urlAuth !== 'public' && !authorized) throw refuse(401, 'unauthorized', `${name} is private: send the server's token as Authorization: Bearer …`)
  await served.wake()
  const services = await served.computer.services.list()
  const service = services.find(({ httpPort }) => httpPort !== undefined)
  if (service?.state === 'stopped') await served.computer.services.start(service.name)
  return connect(served, service?.httpPort ?? USUAL, service ? TRIES : 1)
}

async function connect({ computer }: Served, port: number, tries: number): Promise<Duplex> {
  for (let left = tries; ; left--) {
    try {
      return duplexOf(await computer.tunnel(port, { host: 'localhost' }))
    } catch (error) {
      if (left <= 1 || codeOf(error) !== 'unavailable') throw error
      await new Promise((resolve) => setTimeout(resolve, TRY_MS))
    }
  }
}

/** What goes on to the other side. The server's own token does not. */
function endToEnd(headers: IncomingMessage['headers'], withoutToken: boolean): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').toLowerCase().split(',').map((word) => word.trim()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hops.has(name) && !named.has(name) && !(withoutToken && name === 'authorization')))
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}
