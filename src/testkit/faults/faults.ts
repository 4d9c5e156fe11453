import type { ErrorCode } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { Bell } from '../../util/bell.ts'

type Method = 'create' | 'get' | 'list' | 'health' | 'info' | 'start' | 'stop' | 'delete' | 'spawn' | 'channel'

interface Trouble {
  readonly method: Method
  readonly error: Error | undefined
  left: number
}

/** What goes wrong, and when. Everything is calm until told otherwise. */
export class Faults {
  /** Milliseconds that every chunk takes longer. */
  delay = 0
  /** Nothing arrives any more, and nothing says so: a connection that is only half there. */
  silent = false
  /** Bytes from the computer after which each connection breaks. */
  cutAfter = Number.POSITIVE_INFINITY
  /** Put before the next chunk from the computer, once. */
  garbage: Uint8Array | undefined
  /** How many connections were cut. */
  cuts = 0
  readonly bell = new Bell()
  readonly #open = new Set<() => void>()
  readonly #troubles: Trouble[] = []

  /** Breaks every connection that is open now. */
  cut(): void {
    for (const close of this.#open) close()
  }

  /** The next calls of that method fail. */
  fail(method: Method, code: ErrorCode, times = 1): void {
    this.#troubles.push({ method, error: fail(code, `${method} fails on purpose`, { source: 'provider' }), left: times })
  }

  /** The next calls of that method never answer. */
  hang(method: Method, times = 1): void {
    this.#troubles.push({ method, error: undefined, left: times })
  }

  /** Back to calm. */
  heal(): void {
    this.delay = 0
    this.silent = false
    this.cutAfter = Number.POSITIVE_INFINITY
    this.garbage = undefined
    this.#troubles.length = 0
    this.bell.ring()
  }

  /** Before a call: what was ordered for it. */
  async meet(method: Method): Promise<void> {
    const trouble = this.#troubles.find((one) => one.method === method && one.left > 0)
    if (trouble === undefined) return
    trouble.left -= 1
    if (trouble.error !== undefined) throw trouble.error
    await new Promise(() => {})
  }

  /** A connection that `cut` ends by calling `close`. Gives how to take it off the list. */
  opened(close: () => void): () => void {
    this.#open.add(close)
    return () => this.#open.delete(close)
  }
}
