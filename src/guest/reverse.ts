import { randomUUID } from 'node:crypto'
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import { makeAll, modeOf, ownerOf, place } from './files/path.ts'
import type { Request } from './request.ts'
import { GuestError } from './wire.ts'

/** How long a connection waits to be taken. */
const CLAIM_MS = 10_000

/** Connections that programs made and the client has not taken yet. */
const waiting = new Map<string, Socket>()

/** A unix socket on the computer, for as long as the client stays: it is told of every connection, and takes it by its id. */
export async function listenFor(request: Request): Promise<void> {
  const { stream, guest } = request
  const path = place(guest.config, request.text('path'))
  const mode = modeOf(request.optional('mode')) ?? 0o600
  const owner = ownerOf(guest.config, undefined)
  await makeAll(dirname(path), owner)
  await mustBeFree(path)
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const id = randomUUID()
    const late = setTimeout(() => waiting.has(id) && socket.destroy(), CLAIM_MS)
    waiting.set(id, socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(late)
      waiting.delete(id)
    })
    request.line({ id })
  })
  await listening(server, path)
  chmodSync(path, mode)
  const { ino } = lstatSync(path)
  const end = () => {
    server.close()
    // Another one may be there by now.
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(path)
  }
  if (stream.destroyed) return end()
  stream.once('close', end)
  request.lines()
}

/** Takes one of them: raw bytes both ways, each direction ending on its own. */
export function acceptOne(request: Request): void {
  const { stream } = request
  const id = request.text('id')
  const socket = waiting.get(id)
  if (socket === undefined) throw new GuestError('not_found', 'that connection is gone')
  waiting.delete(id)
  socket.removeAllListeners('close')
  socket.removeAllListeners('error')
  stream.once('aborted', () => socket.destroy())
  stream.once('close', () => {
    if (!stream.readableEnded || !stream.writableFinished) socket.destroy()
  })
  socket.on('error', (error) => stream.destroy(error))
  stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
  stream.pipe(socket)
  socket.pipe(stream)
}

/** What nobody answers on is left over from before. */
async function mustBeFree(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (!there) return
  if (!there.isSocket()) throw new GuestError('conflict', `${path} is there and is no socket`)
  const taken = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
  if (taken) throw new GuestError('conflict', `somebody listens on ${path} already`)
  unlinkSync(path)
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}
