import type { Socket } from '../service/socket.ts'

/** What may be on its way, in bytes: a service that tells what it has got is sent the rest again. */
const KEPT = 4 * 1024 * 1024
/** After that long it has surely arrived, or the connection was known to be dead. */
const SETTLED_MS = 60_000

/** Input that was sent, as far as it may have to be sent again. */
export class Typed {
  #count = 0
  readonly #pieces: Uint8Array[] = []
  #size = 0
  #lastAt = 0
  ended = false

  add(data: Uint8Array): void {
    this.#count += data.length
    this.#pieces.push(data)
    this.#size += data.length
    this.#lastAt = performance.now()
    while (this.#size > KEPT && this.#pieces.length > 1) this.#size -= this.#pieces.shift()?.length ?? 0
  }

  /** What a server that has `offset` bytes is lacking; undefined where that cannot be told. Without `offset` it can where nothing is recent. */
  missing(offset: number | undefined): readonly Uint8Array[] | undefined {
    if (offset === undefined) return this.#count === 0 || performance.now() - this.#lastAt > SETTLED_MS ? [] : undefined
    let at = this.#count - this.#size
    if (offset < at || offset > this.#count) return undefined
    const parts: Uint8Array[] = []
    for (const piece of this.#pieces) {
      if (at + piece.length > offset) parts.push(piece.subarray(Math.max(0, offset - at)))
      at += piece.length
    }
    return parts
  }
}

/** A terminal's bytes go as they are, others in a frame. */
export async function sendInput(socket: Socket, part: Uint8Array, tty: boolean): Promise<void> {
  if (tty) return void (await socket.send(part))
  const frame = Buffer.allocUnsafe(part.length + 1)
  frame[0] = 0
  frame.set(part, 1)
  await socket.send(frame)
}
