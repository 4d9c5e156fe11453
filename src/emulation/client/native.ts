import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

/**
 * What HTTP/2 is spoken over: a socket of the system, whatever carries the bytes further. Node's HTTP/2 needs that for
 * two reasons. Over a stream in JavaScript it fails assertions of its own when it ends while it writes. And it does not
 * read while a write is under way: with both ends waiting for the other to read, neither ever would. This socket takes
 * every write at once; what gathers here is bounded by the far end's windows.
 */
export async function nativeSocket(below: Duplex): Promise<Socket> {
  below.on('error', ignore)
  const [near, far] = await socketPair()
  if (below.destroyed) far.destroy()
  far.on('data', (chunk) => below.write(chunk))
  below.on('data', (chunk: Uint8Array) => {
    if (!far.write(chunk)) below.pause()
  })
  far.on('drain', () => below.resume())
  far.on('end', () => below.end())
  below.on('end', () => far.end())
  far.on('error', () => below.destroy())
  // The near end is HTTP/2's own: it is never touched, it sees its peer go.
  below.on('error', () => far.destroy())
  far.on('close', () => below.destroy())
  below.on('close', () => far.destroySoon())
  return near
}

function ignore(): void {
  // Its end is what counts; who wants to know why listens too.
}

/** Two ends of one connection, in a directory nobody else enters, which is gone again at once. */
async function socketPair(): Promise<[Socket, Socket]> {
  const directory = await mkdtemp(join(tmpdir(), 'amux-'))
  const path = join(directory, 's')
  const server = createServer({ allowHalfOpen: true })
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        const near = connect(path)
        near.once('error', reject)
        server.once('connection', (far) => resolve([near.off('error', reject), far]))
      })
    })
  } finally {
    server.close()
    await rm(directory, { recursive: true, force: true })
  }
}
