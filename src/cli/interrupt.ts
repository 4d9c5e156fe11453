import { fail } from '../errors/index.ts'
import { formatDuration } from '../util/duration.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type Interruption = (typeof signals)[number]
/** Exit status of a process that its second Ctrl-C ends at once. */
const ENDED = 130

/** Turns Ctrl-C, a termination and the time limit into one AbortSignal. */
export class Interrupt {
  readonly #controller = new AbortController()
  #patient = false
  #taken: ((signal: Interruption) => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor() {
    for (const signal of signals) process.on(signal, this.#arrived)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Hands Ctrl-C and its kin to somebody else until the returned function is called. */
  take(handler: (signal: Interruption) => void): () => void {
    this.#taken = handler
    return () => {
      if (this.#taken === handler) this.#taken = undefined
    }
  }

  limit(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.abort(fail('timeout', `not done within ${formatDuration(ms)}`)), ms)
    this.#timer.unref()
  }

  abort(reason: Error): void {
    if (!this.signal.aborted) this.#controller.abort(reason)
  }

  /** What begins now is told to stop, too, but takes the time it needs to leave things whole. A second Ctrl-C still ends it. */
  wait(): void {
    this.#patient = true
  }

  /** Rejects once everything was told to stop and a while has passed. */
  overdue(grace: number): Promise<never> {
    return new Promise((_, reject) => {
      const late = () => void (this.#patient || reject(this.signal.reason))
      const give = () => setTimeout(late, grace).unref()
      if (this.signal.aborted) give()
      else this.signal.addEventListener('abort', give, { once: true })
    })
  }

  release(): void {
    clearTimeout(this.#timer)
    for (const signal of signals) process.off(signal, this.#arrived)
  }

  readonly #arrived = (signal: Interruption): void => {
    if (this.#taken) this.#taken(signal)
    else if (this.signal.aborted) process.exit(ENDED)
    else this.abort(fail('aborted', signal === 'SIGINT' ? 'interrupted' : `interrupted by ${signal}`))
  }
}
