import { setTimeout as sleep } from 'node:timers/promises'
import { given } from '../errors.ts'
import { mayPass } from './retry.ts'

/** From a break until it is given up, and between two tries. */
const PATIENCE_MS = 10 * 60_000
const PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** A connection that lasted so long is worth a try at once. */
const HELD_MS = 5000

/** For what goes on until it is given up: after a break it is asked for again, later each time, never at the same moment as by others. */
export class Patience {
  #lostAt: number | undefined
  #heardAt: number | undefined
  #pause = PAUSE_MS

  /** The service answers. */
  heard(): void {
    this.#heardAt ??= performance.now()
  }

  /** Until the next try. Throws what broke it where none will help, where it lasts too long, and what never began. */
  async wait(broken: unknown, signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now()
    const [heardAt, lostAt] = [this.#heardAt, this.#lostAt]
    if (heardAt === undefined && lostAt === undefined) throw broken
    const anew = lostAt === undefined || (heardAt !== undefined && now - heardAt > HELD_MS)
    if (anew) [this.#lostAt, this.#pause] = [now, PAUSE_MS]
    this.#heardAt = undefined
    if (!mayPass(broken) || (!anew && now - lostAt > PATIENCE_MS)) throw broken
    await sleep(this.#pause * (0.5 + Math.random()), undefined, signal && { signal }).catch(() => {
      throw given(signal)
    })
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS)
  }
}
