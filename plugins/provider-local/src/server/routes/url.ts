import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, request as forward } from 'node:http'
import type { Duplex } from 'node:stream'
import { duplexOf } from '../http/duplex.ts'
import { answerTo, codeOf, refuse } from '../http/errors.ts'
import type { Fleet } from '../sprite/fleet.ts'
import { refuseUpgrade } from '../http/handshake.ts'
import type { Served } from '../sprite/served.ts'

/** Without a service that has an HTTP port. */
const USUAL = 8080
/** A service that was just started needs a moment until it listens. */
const TRIES = 30
const TRY_MS = 200
const NO_ANSWER = 'what listens there gave no answer\n'

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
    if (response.destroyed) return void connection.destroy()
    response.once('close', () => connection.destroy())
    const chunked = request.headers['transfer-encoding'] !== undefined
    // Whatever the method: a body without its length would be the next request.
    const inner = ask(request, connection, { ...endToEnd(request.headers, authorized), ...(chunked && { 'transfer-encoding': 'chunked' }) })
    const failed = () => {
      connection.destroy()
      if (response.headersSent) response.destroy()
      else plain(response, 502, NO_ANSWER)
    }
    inner.once('response', (answer) => {
      if (!isSound(answer)) return failed()
      response.writeHead(answer.statusCode ?? 0, wordsOf(answer), endToEnd(answer.headers, false))
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    // Nobody asked for it.
    inner.once('upgrade', failed)
    inner.on('error', failed)
    request.pipe(inner)
  } catch (error) {
    const { status, body } = answerTo(error)
    plain(response, codeOf(error) === 'unavailable' ? 502 : status, `${body.message}\n`)
  }
}

/**
 * The same for a WebSocket: once the sprite has agreed, what both say is theirs. If it has not, the connection ends with
 * its answer: the caller's next request would go to the sprite unread, the server's token in it.
 */
export async function upgradeUrl(fleet: Fleet, name: string, request: IncomingMessage, socket: Duplex, head: Buffer, authorized: boolean): Promise<void> {
  const connection = await open(fleet, name, authorized)
  // It may have left while the sprite woke.
  if (socket.destroyed || socket.readableEnded) {
    connection.destroy()
    socket.destroy()
    return
  }
  socket.once('close', () => connection.destroy())
  const { 'content-length': _, ...headers } = endToEnd(request.headers, authorized)
  const inner = ask(request, connection, { ...headers, connection: 'Upgrade', upgrade: request.headers.upgrade })
  // Meanwhile, its end is not heard unless it is looked for.
  const look = () => void (socket.readableLength === 0 && socket.read())
  const leave = () => connection.destroy()
  socket.on('readable', look).on('end', leave)
  look()
  const answer = await answerOf(inner, connection)
  socket.off('readable', look).off('end', leave)
  if (!answer || !isSound(answer)) {
    connection.destroy()
    return refuseUpgrade(socket, refuse(502, 'bad_gateway', NO_ANSWER.trim()), {})
  }
  const agreed = answer.statusCode === 101
  socket.write(headOf(answer, agreed), 'latin1')
  if (agreed) connection.write(head)
  const source = agreed ? connection : answer
  source.once('error', () => socket.destroy()).pipe(socket)
  if (agreed) socket.pipe(connection).once('close', () => socket.destroy())
  else socket.resume()
}

function ask({ method = 'GET', url: path = '/' }: IncomingMessage, connection: Duplex, headers: OutgoingHttpHeaders): ClientRequest {
  return forward({ method, path, headers, createConnection: () => connection })
}

/** What came behind it is still to be read. */
function answerOf(inner: ClientRequest, connection: Duplex): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    inner.once('response', resolve).once('upgrade', (answer, _, first) => {
      connection.on('error', () => connection.destroy()).unshift(first)
      resolve(answer)
    })
    inner.on('error', () => resolve(undefined)).end()
  })
}

/** Node reads some numbers that it does not write. */
function isSound({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode === 101 || statusCode >= 200
}

/** For people alone, and only where they are words. */
function wordsOf({ statusMessage = '' }: IncomingMessage): string {
  return /^[\x20-\x7e]*$/.test(statusMessage) ? statusMessage : ''
}

/** An answer's head as it came; one that does not agree to an upgrade ends its connection. */
function headOf(answer: IncomingMessage, agreed: boolean): string {
  const { rawHeaders, statusCode } = answer
  const lines = [`HTTP/1.1 ${statusCode} ${wordsOf(answer)}`]
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) if (agreed || !hops.has(String(rawHeaders[at]).toLowerCase())) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  return [...lines, ...(agreed ? [] : ['connection: close']), '', ''].join('\r\n')
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

/** What goes on to the other side. The server's own token does not; where a body ends does, whatever is said of it. */
function endToEnd(headers: IncomingMessage['headers'], withoutToken: boolean): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').toLowerCase().split(',').map((word) => word.trim()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hops.has(name) && (!named.has(name) || name === 'content-length') && !(withoutToken && name === 'authorization')))
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}
