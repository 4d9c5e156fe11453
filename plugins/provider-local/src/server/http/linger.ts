import type { IncomingMessage } from 'node:http'

/** What is still read of a body that was refused, so that its sender hears why: in bytes and for how long. */
const MOST = 64 * 1024 * 1024
const LONGEST_MS = 10_000

/** Closed at once, a connection with unread bytes would be reset, and the answer lost on its way. */
export function linger(request: IncomingMessage): void {
  let left = MOST
  const late = setTimeout(() => request.destroy(), LONGEST_MS)
  late.unref()
  request.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late))
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
}
