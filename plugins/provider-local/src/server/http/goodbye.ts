import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** What is still read of one who broke the protocol, so that it hears why: in bytes and for how long. */
const MOST = 64 * 1024 * 1024
const LONGEST_MS = 10_000

/** Closes it, and hears the other's goodbye: of a paused one it would not be read, and the connection kept until it is given up. */
export function sayGoodbye(client: WebSocket, code: number, reason?: string): void {
  client.close(code, reason)
  client.resume()
}

/** `ws` has said what was wrong: cut off at once, with bytes unread, the connection would be reset and that lost on its way. */
export function hearOut(client: WebSocket, connection: Duplex): void {
  let left = MOST
  const late = setTimeout(() => client.terminate(), LONGEST_MS)
  late.unref()
  client.once('close', () => clearTimeout(late))
  connection.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) client.terminate()
  })
}
