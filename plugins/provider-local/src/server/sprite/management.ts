import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { duplexOf } from '../http/duplex.ts'
import { codeOf } from '../http/errors.ts'
import { Callers } from './callers.ts'
import type { Served } from './served.ts'

const PATH = '/.sprite/api.sock'

/** Answers a sprite's own programs: their requests are about it. */
export type Inner = (served: Served, request: IncomingMessage, response: ServerResponse) => void

/** The socket on which a sprite's programs manage it, until the sprite stops. False: it can have none. */
export async function manage(served: Served, inner: Inner, signal: AbortSignal): Promise<boolean> {
  const callers = new Callers()
  const server = createServer((request, response) => callers.asks(request, response) && inner(served, request, response))
  try {
    for await (const stream of await served.computer.listen(PATH, { mode: 0o666, signal })) {
      const connection = duplexOf(stream)
      if (callers.admits(connection)) server.emit('connection', connection)
    }
    return true
  } catch (error) {
    return !['permission_denied', 'unsupported', 'conflict'].includes(codeOf(error) ?? '')
  }
}
