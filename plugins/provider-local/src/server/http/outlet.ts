import type { WebSocket } from 'ws'
import { Gong } from './gong.ts'

/** Waiting to be sent, in bytes: above it, whoever produces them waits. */
const HIGH = 1024 * 1024

/** How a client closes that means to. */
const clean: ReadonlySet<number> = new Set([1000, 1001, 1005])

export function isGoodbye(code: number): boolean {
  return clean.has(code)
}

/** What goes to one client. */
export class Outlet {
  readonly socket: WebSocket
  /** Bytes that the kernel has not taken yet. */
  queued = 0
  readonly #left = new Gong()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('close', () => this.#left.strike())
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN
  }

  /** `sent`: the bytes are not looked at any more. */
  send(data: Uint8Array | string, sent?: () => void): void {
    if (!this.open) return
    const size = data.length
    this.queued += size
    this.socket.send(data, () => {
      this.queued -= size
      sent?.()
      if (this.queued <= HIGH) this.#left.strike()
    })
  }

  say(document: object): void {
    this.send(JSON.stringify(document))
  }

  /** At the reader's pace. False: it is gone. */
  tell(document: object): Promise<boolean> {
    this.say(document)
    return this.room()
  }

  /** More should not be sent now. */
  get crowded(): boolean {
    return this.queued > HIGH
  }

  /** Resolves once no more than `most` bytes wait. False: it is gone. */
  async room(most = HIGH): Promise<boolean> {
    while (this.open && this.queued > most) await this.#left.next()
    return this.open
  }
}
