import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import type { ByteStream, EquippedComputer } from '../contract/index.ts'
import { fail, normalise } from '../errors/index.ts'
import { isPourable } from '../util/pour.ts'
import type { Forward } from './spec.ts'

export interface Listening extends Forward {
  /** The port it got. */
  readonly local: number
  /** Ends it and every connection through it. */
  close(): void
}

export interface ForwardEvents {
  /** A connection was made. */
  onOpen?(): void
  /** A connection could not be made, or broke: the listener goes on. */
  onProblem(message: string): void
}

/** Listens here; each connection becomes a tunnel into the computer. */
export async function forward(computer: Pick<EquippedComputer, 'tunnel'>, wanted: Forward, events: ForwardEvents): Promise<Listening> {
  const sockets = new Set<Socket>()
  let stopped = false
  // Half-closed connections are common: a client that sent its request and waits for the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    connect(socket, computer, wanted, () => events.onOpen?.()).catch((error: unknown) => {
      socket.destroy()
      if (!stopped) events.onProblem(normalise(error).message)
    })
  })
  const local = await listen(server, wanted)
  return {
    ...wanted,
    local,
    close() {
      stopped = true
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function listen(server: Server, { address, local }: Forward): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refused(error, address, local)))
    server.listen({ host: address, port: local, exclusive: true }, () => resolve((server.address() as AddressInfo).port))
  })
}

function refused(error: NodeJS.ErrnoException, address: string, port: number): Error {
  const where = `${address}:${port}`
  if (error.code === 'EADDRINUSE') {
    return fail('conflict', `port ${port} is taken on ${address}`, { hint: `Choose another: -p LOCAL:REMOTE, or any free one: -p :REMOTE`, cause: error })
  }
  if (error.code === 'EACCES') return fail('permission_denied', `you may not listen on ${where}`, { hint: 'Choose a port above 1023.', cause: error })
  if (error.code === 'EADDRNOTAVAIL') return fail('invalid_argument', `${address} is no address of this machine`, { cause: error })
  return normalise(error)
}

async function connect(socket: Socket, computer: Pick<EquippedComputer, 'tunnel'>, { remote, host }: Forward, onOpen: () => void): Promise<void> {
  const gone = new AbortController()
  const onGone = () => gone.abort()
  socket.once('close', onGone)
  socket.on('error', () => socket.destroy())
  const tunnel = await computer.tunnel(remote, { host, signal: gone.signal }).catch((error: unknown) => {
    if (gone.signal.aborted) return undefined
    throw error
  })
  if (!tunnel) return
  onOpen()
  socket.off('close', onGone).once('close', () => tunnel.close())
  try {
    await Promise.all([upload(socket, tunnel), download(tunnel, socket)])
  } catch (error) {
    // The peer here hung up: that is the end, not a problem.
    if (!socket.destroyed) throw error
  } finally {
    tunnel.close()
    socket.destroySoon()
  }
}

async function upload(socket: Socket, { sink }: ByteStream): Promise<void> {
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) await sink.write(chunk as Buffer)
  await sink.end()
}

async function download(tunnel: ByteStream, socket: Socket): Promise<void> {
  if (isPourable(tunnel)) await tunnel.pour(socket)
  else for await (const chunk of tunnel.source) {
    if (!socket.write(chunk)) await drained(socket)
    if (socket.destroyed) return
  }
  socket.end()
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.once('drain', done).once('close', done)
  })
}
