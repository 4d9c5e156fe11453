import type { Socket } from 'node:net'

/** Who stays for less only looked. */
const LOOK_MS = 5000

/** Who is connected to the guest. */
export class Clients {
  readonly #open = new Set<Socket>()
  readonly #onLeft: () => void

  /** `onLeft`: somebody went who had been there for a while. */
  constructor(onLeft: () => void) {
    this.#onLeft = onLeft
  }

  get count(): number {
    return this.#open.size
  }

  /** It is no client of its own after all. */
  discount(socket: Socket): void {
    this.#open.delete(socket)
  }

  add(socket: Socket): void {
    const since = performance.now()
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (performance.now() - since > LOOK_MS) this.#onLeft()
    })
  }
}
