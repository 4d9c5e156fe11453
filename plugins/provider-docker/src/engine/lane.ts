/** Bytes on their way from an engine to one reader. */
export class Lane implements AsyncIterable<Uint8Array> {
  readonly #taken: () => void
  #queue: Uint8Array[] = []
  #over = false
  #failure: unknown
  #left = false
  #wake: (() => void) | undefined
  /** Bytes that wait. */
  waiting = 0

  /** `taken`: told when something was read, or is no longer wanted. */
  constructor(taken: () => void) {
    this.#taken = taken
  }

  push(chunk: Uint8Array): void {
    if (this.#left || this.#over) return
    this.#queue.push(chunk)
    this.waiting += chunk.length
    this.#ring()
  }

  end(failure?: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#failure = failure
    this.#ring()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const chunk = this.#queue.shift()
        if (chunk !== undefined) {
          this.waiting -= chunk.length
          this.#taken()
          yield chunk
        } else if (this.#failure !== undefined) throw this.#failure
        else if (this.#over) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      // Nobody reads on: whatever comes is thrown away, so that the program is not held up.
      this.#left = true
      this.#queue = []
      this.waiting = 0
      this.#taken()
    }
  }

  #ring(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
