import type { Server, Socket } from 'node:net'
import { DIRECT_LINE_MAX, Frame, Path } from '../protocol/index.ts'
import type { Guest } from './guest.ts'
import { type FrameStream, handleAttach, handleExec } from './sessions/index.ts'
import { packet } from '../native/index.ts'
import { targetOf } from './tunnel/connect.ts'
import { serveTunnel } from './tunnel/direct.ts'
import { GuestError, toWire } from './wire.ts'

const { createServer } = process.getBuiltinModule('node:net')

/** What listens on `direct.sock`: programs and tunnels without HTTP/2 in between. */
export function createDirectServer(guest: Guest): Server {
  return createServer({ allowHalfOpen: true }, (socket) => {
    // Whoever reads or writes it learns of its end.
    socket.on('error', () => undefined)
    guest.clients.add(socket)
    guest.idle.touch()
    guest.rest.began()
    socket.once('close', () => {
      guest.rest.ended()
      guest.idle.touch()
    })
    void answer(guest, socket)
  })
}

async function answer(guest: Guest, socket: Socket): Promise<void> {
  let answered = false
  const stream: FrameStream = Object.assign(socket, { respond: () => (answered = true) })
  try {
    const handled = handle(guest, socket, stream, await firstLine(socket))
    socket.resume()
    await handled
  } catch (error) {
    if (answered) socket.destroy()
    else socket.end(packet(Frame.error, JSON.stringify(toWire(error))))
  }
}

function handle(guest: Guest, socket: Socket, stream: FrameStream, line: string): Promise<void> {
  const { path, nonce, host, port } = parse(line)
  if (nonce !== undefined && nonce !== guest.nonce) throw new GuestError('conflict', 'this is another guest than the one meant: the computer was restarted')
  if (path === Path.exec) return handleExec(guest.engine, stream)
  if (path === Path.attach) return handleAttach(guest.engine, stream)
  if (path === Path.tunnel) return serveTunnel(guest, socket, targetOf(typeof host === 'string' ? host : undefined, Number(port)))
  throw new GuestError('invalid_argument', 'the first line names no request')
}

function parse(line: string): { readonly [name in 'path' | 'nonce' | 'host' | 'port']?: unknown } {
  try {
    const value: unknown = JSON.parse(line)
    return value instanceof Object ? value : {}
  } catch (error) {
    throw new GuestError('invalid_argument', 'the first line is no JSON', { cause: error })
  }
}

/** Reads to the end of the line; what follows stays for the next reader. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0)
    const settle = (): void => {
      socket.pause()
      socket.off('data', onData).off('close', onClose).off('end', onClose)
    }
    const onClose = (): void => {
      settle()
      reject(new GuestError('aborted', 'the client left'))
    }
    const onData = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk])
      const end = read.indexOf('\n')
      if (end === -1 && read.length <= DIRECT_LINE_MAX) return
      settle()
      if (end === -1 || end > DIRECT_LINE_MAX) return reject(new GuestError('invalid_argument', 'the first line does not end'))
      if (end + 1 < read.length) socket.unshift(read.subarray(end + 1))
      resolve(read.toString('utf8', 0, end))
    }
    socket.on('data', onData).once('close', onClose).once('end', onClose)
  })
}
