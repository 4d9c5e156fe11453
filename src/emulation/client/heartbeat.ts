import type { ClientHttp2Session } from 'node:http2'

const BEAT_MS = 5000
/** Beats without an answer after which the other end counts as gone. */
const PATIENCE = 3

/**
 * Finds connections that are only half there: the far end vanished without a word, or this machine slept. It counts
 * beats, not time: a process that was busy or stopped for a while misses beats and thereby accuses nobody.
 */
export class Heartbeat {
  readonly #http: ClientHttp2Session
  readonly #onSilence: () => void
  #timer: NodeJS.Timeout | undefined
  #asked = false
  #unanswered = 0
  #last = 0

  constructor(http: ClientHttp2Session, onSilence: () => void) {
    this.#http = http
    this.#onSilence = onSilence
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#asked = false
    this.#last = Date.now()
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #beat(): void {
    // A jump of the clock only makes us ask sooner and wait less; the answer decides, not the clock.
    const jumped = Math.abs(Date.now() - this.#last) > 3 * BEAT_MS
    this.#last = Date.now()
    if (this.#asked) {
      if (++this.#unanswered >= PATIENCE) this.#onSilence()
      return
    }
    this.#asked = true
    this.#unanswered = jumped ? PATIENCE - 2 : 0
    const sent = this.#http.ping(() => (this.#asked = false))
    if (!sent) this.#asked = false
  }
}
