import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'
import { Path } from '../protocol/index.ts'
import type { Guest } from './guest.ts'
import { Request } from './request.ts'
import { route } from './routes.ts'
import { GuestError } from './wire.ts'

const MiB = 1024 * 1024
/** Who is there for longer wants something. */
const GLANCE_MS = 5
/** To look at a computer is not to use it. */
const looks: ReadonlySet<string> = new Set([Path.hello, Path.idle, Path.sessions, Path.ports, Path.services])

/**
 * What listens on `guest.sock`. HTTP/2 takes a fifth of the guest's memory and of its time to start: it is loaded when
 * somebody stays or speaks, which whoever only looks whether the guest is there does not. A client may wait for our
 * first byte.
 */
export function createGuestServer(guest: Guest): Server {
  let http: Http2Server | undefined
  return process.getBuiltinModule('node:net').createServer((socket) => {
    guest.clients.add(socket)
    const settle = (stays: boolean): void => {
      clearTimeout(timer)
      socket.off('readable', look).off('error', leave)
      if (!stays) return void socket.destroy()
      http ??= createHttpServer(guest)
      http.emit('connection', socket)
    }
    // Readable and nothing to read: the end.
    const look = (): void => settle(socket.readableLength > 0)
    const leave = (): void => settle(false)
    const timer = setTimeout(() => settle(true), GLANCE_MS)
    socket.on('readable', look).on('error', leave)
  })
}

function createHttpServer(guest: Guest): Http2Server {
  const server = process.getBuiltinModule('node:http2').createServer({
    // Large windows, since the peer is near and the streams are few; a program that lags is paced by its own stream.
    settings: { initialWindowSize: 4 * MiB, maxConcurrentStreams: 100_000, enablePush: false },
    maxSessionMemory: 1024,
    // A client may cancel as many requests as it likes: it can only be the computer's owner.
    streamResetBurst: 1_000_000,
    streamResetRate: 1_000_000,
  })
  server.setTimeout(0)
  server.on('session', (session: ServerHttp2Session) => {
    session.setLocalWindowSize(64 * MiB)
    // A broken client ends its own connection and nothing else.
    session.on('error', () => session.destroy())
  })
  server.on('stream', (stream, headers) => {
    const uses = headers[':method'] !== 'GET' || !looks.has((headers[':path'] ?? '').split('?', 1)[0] ?? '')
    guest.rest.began()
    if (uses) guest.idle.touch()
    stream.once('close', () => {
      guest.rest.ended()
      if (uses) guest.idle.touch()
    })
    stream.once('aborted', () => letGo(stream))
    void answer(guest, stream, headers)
  })
  return server
}

/** A stream that its client gave up closes by itself only once all that it has to say is sent, which it never will be. What came before is heard. */
function letGo(stream: ServerHttp2Stream): void {
  const end = () => stream.destroy()
  if (stream.readableLength === 0) setImmediate(end)
  else stream.once('end', end)
}

async function answer(guest: Guest, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
  // A reset by the client arrives as an error; whoever reads or writes the stream learns it by its end.
  stream.on('error', () => undefined)
  const request = new Request(guest, stream, headers)
  try {
    const nonce = headers['amux-nonce']
    if (nonce !== undefined && nonce !== guest.nonce) throw new GuestError('conflict', 'this is another guest than the one meant: the computer was restarted')
    await route(request)(request)
  } catch (error) {
    request.fail(error)
  }
}
