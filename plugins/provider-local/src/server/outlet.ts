import type { WebSocket } from 'ws'

/** Waiting to be sent, in bytes: above it, whoever produces them waits. */
const HIGH = 1024 * 1024

/** What goes to one client. */
export class Outlet {
  readonly socket: WebSocket
  /** Bytes that the kernel has not taken yet. */
  queued = 0
  #wake: (() => void) | undefined

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('close', () => this.#tell())
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
      if (this.queued <= HIGH) this.#tell()
    })
  }

  /** More should not be sent now. */
  get crowded(): boolean {
    return this.queued > HIGH
  }

  /** Resolves once no more than `most` bytes wait. False: it is gone. */
  async room(most = HIGH): Promise<boolean> {
    while (this.open && this.queued > most) {
      await new Promise<void>((resolve) => {
        const before = this.#wake
        this.#wake = () => {
          before?.()
          resolve()
        }
      })
    }
    return this.open
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
