import type { Request } from '../request.ts'
import { abandon, connected, dial, targetOf } from './connect.ts'

/**
 * One raw TCP connection. The answer is 200 only once it stands; then bytes, each direction ending on its own. A broken
 * connection breaks the stream, and the other way round.
 */
export async function openTunnel(request: Request): Promise<void> {
  const { stream, guest } = request
  const target = targetOf(request.optional('host'), request.number('port') ?? 0)
  const socket = dial(target)
  stream.once('aborted', () => abandon(socket))
  // Where both directions ended in order, what is still on its way to the program gets there.
  stream.once('close', () => {
    if (!stream.readableEnded || !stream.writableFinished) abandon(socket)
  })
  await connected(guest, socket, target)
  // Not `close`, which would end the stream in good order first.
  socket.on('error', (error) => stream.destroy(error))
  if (stream.destroyed) return abandon(socket)
  stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
  stream.pipe(socket)
  socket.pipe(stream)
}
