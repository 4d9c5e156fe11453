import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { AmuxError, Sessions } from '../../contract/index.ts'
import { type ErrorDetails, fail, normalise } from '../../errors/index.ts'
import { type DirectProgram, type DirectRequest, Place } from '../../protocol/index.ts'
import type { Endpoint } from '../endpoint.ts'
import { GuestAttachment } from './attachment.ts'
import type { Headers } from './connection.ts'
import type { Carrier, FrameStream, SessionHost } from './host.ts'
import { orWoken, watchSilence } from './silence.ts'
import { attachSession, startRequest } from './sessions.ts'

/** A guest on this machine is restarted within seconds, or not at all. */
const PATIENCE_MS = 15_000
const GOODBYE_MS = 1000

export interface DirectOptions {
  readonly endpoint: Endpoint
  readonly onConnection?: SessionHost['onConnection']
  /** For everything but programs of one's own. */
  others(): Promise<Sessions>
  /** Has a computer go on that stands still: whoever connects to it is let in, and waits. */
  wake(): Promise<void>
}

export interface DirectSessions extends Pick<Sessions, 'start' | 'attach' | 'list'> {
  /** Lets the goodbyes out: without them the guest must keep what a lost client could come back for. */
  finish(): Promise<void>
}

/** Sessions of a guest on this machine, without HTTP/2: half of a short program's time would go into loading that. */
export function directSessions({ endpoint, onConnection, others, wake }: DirectOptions): DirectSessions {
  const { computer, provider, nonce } = endpoint
  const run = dirname(endpoint.unix)
  const open = new Set<Socket>()
  let met = false
  const host: SessionHost = {
    async connection() {
      const socket = await dial(join(run, Place.directSocket)).catch(async (error: unknown) => {
        // At first it says nothing: the computer may have another guest. Later it is the end of whatever ran there.
        throw met && !(await supervised(run)) ? fail('not_running', 'the computer was stopped') : error
      })
      met = true
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      return new DirectCarrier(socket, wake, { computer, provider })
    },
    doorway: () => run,
    headers: { 'amux-nonce': nonce },
    patience: PATIENCE_MS,
    computer,
    provider,
    onConnection,
  }
  return {
    async start(argv, options = {}) {
      const attachment = new GuestAttachment(host, { start: startRequest(argv, options) })
      return attachment.open(options.signal)
    },
    attach: (id, options = {}) => attachSession(host, id, options),
    list: async () => orWoken((await others()).list(), wake),
    async finish() {
      const leaving = [...open].filter((socket) => socket.writableEnded)
      const limit = AbortSignal.timeout(GOODBYE_MS)
      await Promise.allSettled(leaving.map((socket) => once(socket, 'close', { signal: limit })))
    },
  }
}

/** A socket that is one stream of frames. */
class DirectCarrier implements Carrier {
  lost = false
  readonly #socket: Socket
  readonly #details: ErrorDetails
  readonly #wake: DirectOptions['wake']
  #reason: string | undefined

  constructor(socket: Socket, wake: DirectOptions['wake'], details: ErrorDetails) {
    this.#socket = socket
    this.#wake = wake
    this.#details = details
    socket.once('close', () => (this.lost = true))
  }

  request(_method: string, path: string, headers: Headers = {}): FrameStream {
    const socket = this.#socket
    const nonce = headers['amux-nonce']
    // The two that there are are the two that are asked for.
    const request: DirectRequest = { path: path as DirectProgram['path'], ...(nonce !== undefined && { nonce }) }
    socket.cork()
    socket.write(`${JSON.stringify(request)}\n`)
    process.nextTick(() => {
      socket.emit('response', {})
      const heard = watchSilence(this.#wake, (error) => {
        // Never `unavailable`: what was asked may have been done, and is not to be asked again another way.
        this.#reason = error.message
        socket.destroy()
      })
      socket.once('data', heard).once('close', heard)
      socket.uncork()
    })
    return Object.assign(socket, { close: () => void socket.destroy() })
  }

  failure(): AmuxError {
    return fail('connection_lost', this.#reason ?? 'the connection to the computer broke', { source: 'transport', ...this.#details })
  }
}

/** Whether somebody is there to start a guest that is missing: programs do not outlive their supervisor. */
function supervised(run: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(join(run, Place.initSocket))
    socket.once('connect', () => resolve(true)).once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ENOENT' && code !== 'ECONNREFUSED'))
    socket.once('close', () => resolve(true)).once('connect', () => socket.destroy())
  })
}

/** `unavailable` where nobody listens: an older guest, or none. */
function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true })
    const onError = (cause: Error): void => reject(fail('unavailable', 'the guest does not answer on its socket', { source: 'transport', cause: normalise(cause) }))
    socket.once('error', onError)
    socket.once('connect', () => {
      socket.off('error', onError)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}
