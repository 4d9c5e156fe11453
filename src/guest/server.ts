import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Guest } from './guest.ts'
import { Request } from './request.ts'
import { route } from './routes.ts'
import { GuestError } from './wire.ts'

const MiB = 1024 * 1024

/** Built in, and loaded without the detour over the ESM loader. */
const { createServer } = process.getBuiltinModule('node:http2')

/** The guest's HTTP/2 server. It listens on nothing yet. */
export function createGuestServer(guest: Guest): Http2Server {
  const server = createServer({
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
    guest.rest.began()
    stream.once('close', () => guest.rest.ended())
    void answer(guest, stream, headers)
  })
  return server
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
