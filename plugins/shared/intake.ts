import type { ByteSource } from '../../src/contract/index.ts'

/** Read ahead, in bytes: more and the sender waits. */
const HIGH = 1024 * 1024

/** Bytes on their way to a reader, at its pace. */
export class Intake {
  readonly source: ByteSource = { [Symbol.asyncIterator]: () => this.#read() }
  readonly #queue: Uint8Array[] = []
  #size = 0
  #over = false
  #failure: unknown
  /** The reader left: what comes is dropped. */
  #dropped = false
  #reader: () => void = () => {}
  #writers: (() => void)[] = []

  /** Bytes that wait for the reader. */
  get waiting(): number {
    return this.#size
  }

  /** A promise where the reader is behind: it settles once more may come. */
  push(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#dropped || this.#over || chunk.length === 0) return undefined
    this.#queue.push(chunk)
    this.#size += chunk.length
    this.#reader()
    return this.#size <= HIGH ? undefined : new Promise((resolve) => this.#writers.push(resolve))
  }

  end(): void {
    this.#over = true
    this.#reader()
  }

  fail(error: unknown): void {
    if (this.#over) return
    this.#failure = error
    this.end()
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        const chunk = this.#queue.shift()
        if (chunk) {
          this.#size -= chunk.length
          if (this.#size <= HIGH) this.#release()
          yield chunk
        } else if (this.#failure !== undefined) throw this.#failure
        else if (this.#over) return
        else await new Promise<void>((resolve) => (this.#reader = resolve))
      }
    } finally {
      this.#dropped = true
      this.#queue.length = 0
      this.#release()
    }
  }

  #release(): void {
    for (const writer of this.#writers.splice(0)) writer()
  }
}
