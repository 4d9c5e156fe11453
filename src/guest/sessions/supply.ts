import { connect, type Socket } from 'node:net'

interface Spare {
  readonly socket: Socket
  readonly drop: () => void
}

/**
 * Connections to the supervisor. One is made ahead, since behind it a holder is ready by then: a program starts sooner.
 */
export class Supply {
  readonly #path: string
  #spare: Spare | undefined

  constructor(path: string) {
    this.#path = path
  }

  take(): Socket {
    const spare = this.#spare
    if (spare === undefined) return connect(this.#path)
    this.#spare = undefined
    spare.socket.off('error', spare.drop).off('readable', spare.drop)
    return spare.socket
  }

  /** After a start, not during it. */
  restock(): void {
    if (this.#spare !== undefined) return
    const socket = connect(this.#path)
    const drop = () => {
      if (this.#spare?.socket === socket) this.#spare = undefined
      socket.destroy()
    }
    this.#spare = { socket, drop }
    // A holder says nothing before it is asked: what comes is a refusal, or the end.
    socket.on('error', drop).on('readable', drop)
  }
}
