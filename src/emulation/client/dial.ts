import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { fail } from '../../errors/index.ts'

/** Nobody listens there, now: a guest that is just being restarted answers again soon. */
const absent = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTCONN'])

export function dialUnix(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const onError = (cause: NodeJS.ErrnoException) => {
      reject(absent.has(cause.code ?? '') ? fail('unavailable', 'the guest does not answer on its socket', { source: 'transport', cause }) : cause)
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      socket.off('error', onError)
      resolve(socket)
    })
  })
}
