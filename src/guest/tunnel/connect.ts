import { connect, type LookupFunction, type OnReadOpts, type Socket } from 'node:net'
import type { Guest } from '../guest.ts'
import { GuestError, toGuestError } from '../wire.ts'

export interface Target {
  readonly host: string
  readonly port: number
}

/** Of a program that the client lags behind, or the other way round. */
const ahead = { highWaterMark: 256 * 1024 }

export function targetOf(host: string | undefined, port: number): Target {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new GuestError('invalid_argument', `${port} is no TCP port`)
  return { host: (host ?? 'localhost').replace(/^\[(.*)\]$/, '$1'), port }
}

/** May be given up, and written to, before it stands. With `onread`, what comes is no event but goes there. */
export function dial({ host, port }: Target, onread?: OnReadOpts): Socket {
  return connect({ host, port, allowHalfOpen: true, noDelay: true, ...ahead, ...(onread && { onread }), ...(host === 'localhost' && { lookup: loopback }) })
}

/** Resolves once it stands, and counts as use of the computer from then on. */
export async function connected(guest: Guest, socket: Socket, target: Target): Promise<void> {
  await standing(socket, target)
  guest.tunnels.add(target)
  socket.once('close', () => guest.tunnels.delete(target))
}

function standing(socket: Socket, { host, port }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new GuestError('aborted', `the connection to ${host}:${port} was given up`))
    socket.once('connect', () => {
      socket.removeAllListeners('error').off('close', onClose)
      resolve()
    })
    socket.once('error', (error) => reject(explain(error, host, port)))
    socket.once('close', onClose)
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
export function abandon(socket: Socket): void {
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
