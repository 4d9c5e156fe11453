import { connect, type Socket } from 'node:net'

/**
 * Connections to the supervisor. One is made ahead, since behind it a holder is ready by then: a program starts sooner.
 */
export class Supply {
  readonly #path: string
  #spare: Socket | undefined

  constructor(path: string) {
    this.#path = path
  }

  take(): Socket {
    const spare = this.#spare
    this.#spare = undefined
    if (spare === undefined) return connect(this.#path)
    spare.removeAllListeners()
    return spare
  }

  /** After a start, not during it. */
  restock(): void {
    if (this.#spare !== undefined) return
    const socket = connect(this.#path)
    this.#spare = socket
    const drop = () => {
      if (this.#spare === socket) this.#spare = undefined
      socket.destroy()
    }
    socket.on('error', drop)
    // A holder says nothing before it is asked: this is a refusal, or the end.
    socket.on('readable', drop)
  }
}
