import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Of all programs of one sprite together; and requests that one connection may have in hand. */
const CONNECTIONS_MOST = 64
const REQUESTS_MOST = 8
/** A connection on which nothing is asked, in milliseconds. */
const IDLE_MS = 60_000

const WHY = '{"error":"too_many","message":"too many connections of this sprite"}\n'
const FULL = `HTTP/1.1 503 too_many\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${WHY.length}\r\n\r\n${WHY}`

interface Caller {
  requests: number
  idle: NodeJS.Timeout
}

/** Whoever is connected to a sprite's management socket: any program may be, and none may take more than its share of the server. */
export class Callers {
  readonly #callers = new Map<object, Caller>()

  /** False: it was sent away, and told why. */
  admits(connection: Duplex): boolean {
    connection.on('error', () => connection.destroy())
    if (this.#callers.size >= CONNECTIONS_MOST) {
      connection.resume().end(FULL, () => connection.destroy())
      return false
    }
    const caller: Caller = { requests: 0, idle: idle(connection) }
    this.#callers.set(connection, caller)
    connection.once('close', () => {
      clearTimeout(caller.idle)
      this.#callers.delete(connection)
    })
    return true
  }

  /** False: it asks on and on without an answer, and was cut off. */
  asks({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const caller = this.#callers.get(socket)
    if (!caller || caller.requests >= REQUESTS_MOST) {
      socket.destroy()
      return false
    }
    caller.requests++
    clearTimeout(caller.idle)
    response.once('close', () => {
      if (--caller.requests === 0 && !socket.destroyed) caller.idle = idle(socket)
    })
    return true
  }
}

function idle(connection: Duplex): NodeJS.Timeout {
  return setTimeout(() => connection.destroy(), IDLE_MS).unref()
}
