import { fail } from '../errors.ts'
import { parseMessage } from '../service/message.ts'
import type { Socket } from '../service/socket.ts'

export type Greeting = Readonly<Record<string, unknown>>

/** Which session it is. The service's ids are process ids, which come again after a restart. */
export class Identity {
  readonly id: string
  /** What it is attached to by: our server gives each session a name of its own. */
  readonly key: string
  readonly #command: unknown

  constructor({ session_id: id, amux_id: own, command }: Greeting) {
    this.id = String(id ?? '')
    this.key = typeof own === 'string' ? own : this.id
    this.#command = command
  }

  /** Whether that is another one by now, as far as can be told. */
  isOther({ amux_id: own, command }: Greeting): boolean {
    return typeof own === 'string' ? own !== this.key : command !== this.#command
  }
}

/** The first word on a socket, which says where all the rest begins: that goes where `then` leads it. Fails with status 410 where another session speaks. */
export function greeting(socket: Socket, identity: Identity, then: (first: Greeting) => void): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    socket.listen({
      message: (data, binary) => {
        const first = binary ? {} : parseMessage(data.toString())
        if (first['type'] !== 'session_info') return
        if (identity.isOther(first)) {
          socket.close()
          return reject(fail('not_found', `another program has the id ${identity.id} by now`, { status: 410 }))
        }
        then(first)
        resolve(first)
      },
      close: () => reject(fail('connection_lost', 'the connection broke again', { source: 'transport' })),
    })
  })
}
