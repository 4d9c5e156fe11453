import { connect, type LookupFunction, type Socket } from 'node:net'
import type { Request } from './request.ts'
import { GuestError, toGuestError } from './wire.ts'

/**
 * One raw TCP connection. The answer is 200 only once it stands; then bytes, each direction ending on its own. A broken
 * connection breaks the stream, and the other way round.
 */
export async function openTunnel(request: Request): Promise<void> {
  const { stream, guest } = request
  const host = (request.optional('host') ?? 'localhost').replace(/^\[(.*)\]$/, '$1')
  const port = request.number('port') ?? 0
  if (port < 1 || port > 65535) throw new GuestError('invalid_argument', `${port} is no TCP port`)
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, ...(host === 'localhost' && { lookup: loopback }) })
  stream.once('aborted', () => abandon(socket))
  // Where both directions ended in order, what is still on its way to the program gets there.
  stream.once('close', () => {
    if (!stream.readableEnded || !stream.writableFinished) abandon(socket)
  })
  await connected(socket, host, port)
  const entry = { host, port }
  guest.tunnels.add(entry)
  socket.once('close', () => guest.tunnels.delete(entry))
  // Not `close`, which would end the stream in good order first.
  socket.on('error', (error) => stream.destroy(error))
  if (stream.destroyed) return abandon(socket)
  stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
  stream.pipe(socket)
  socket.pipe(stream)
}

function connected(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve()
    })
    socket.once('error', (error) => reject(explain(error, host, port)))
    socket.once('close', () => reject(new GuestError('aborted', `the connection to ${host}:${port} was given up`)))
  })
}

function explain(error: Error, host: string, port: number): GuestError {
  const { code } = toGuestError(error)
  if (code === 'not_found') return new GuestError(code, `the computer knows no host ${JSON.stringify(host)}`, { cause: error })
  const refused = 'code' in error && error.code === 'ECONNREFUSED'
  return refused
    ? new GuestError('unavailable', `nothing listens on ${host}:${port}`, { hint: 'amux computer port ls', cause: error })
    : new GuestError(code, `cannot connect to ${host}:${port}: ${error.message}`, { cause: error })
}

/** A reset, so that the program learns of it; the kernel refuses one while an orderly end is on its way. */
function abandon(socket: Socket): void {
  if (socket.connecting || socket.destroyed || socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** Programs listen on either loopback address; /etc/hosts may name one, or be missing. */
const loopback: LookupFunction = (_host, _options, done) => {
  done(null, [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ])
}
