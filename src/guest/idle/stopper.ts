import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import type { IdleState } from '../../contract/index.ts'
import type { Setting } from './setting.ts'

const OFTEN = 100
const SELDOM = 15_000
/** More than a look may be late: the computer stood still, and so did everybody who could have used it. */
const STILL = 5000
/** For who had found the door just before it was closed. */
const DOOR_MS = 50

export interface StopperHost {
  readonly setting: Setting
  /** With what was used within `window` milliseconds. The last thing it does is to look who is connected. */
  state(window: number): Promise<IdleState>
  /** It was used just now. */
  touch(): void
  /** Nobody finds the guest any more, until what it returns is called. */
  hide(): () => void
  /** Ends the computer in order. */
  end(): void
}

/**
 * Stops the computer from within once nothing has used it for as long as is set. Everything is counted on the monotonic
 * clock. First the guest's door is closed, then it looks once more: whoever came before is seen and wins, whoever comes
 * after finds a computer that stops, which is started again.
 */
export class Stopper {
  readonly #host: StopperHost
  #after: number | undefined
  #looked = 0
  #timer: NodeJS.Timeout | undefined

  constructor(host: StopperHost) {
    this.#host = host
  }

  begin(): void {
    this.#host.setting.wakes()
    this.#use(this.#host.setting.read())
  }

  set(after: number | undefined): void {
    this.#host.setting.write(after)
    this.#use(after)
  }

  #use(after: number | undefined): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#after = after
    this.#looked = performance.now()
    if (after !== undefined) this.#later(after)
  }

  #later(after: number): void {
    this.#timer = setTimeout(() => {
      this.#look(after).catch((error: unknown) => {
        process.stderr.write(`amux guest: cannot tell whether it is idle: ${String(error)}\n`)
        return false
      }).then((over) => !over && this.#after === after && this.#later(after))
    }, pause(after))
  }

  /** Whether it is over. */
  async #look(after: number): Promise<boolean> {
    const now = performance.now()
    if (now - this.#looked > pause(after) + STILL) this.#host.touch()
    this.#looked = now
    const { since } = await this.#host.state(after).then(unheld)
    return since !== undefined && this.#after === after && this.#leave(after, since)
  }

  async #leave(after: number, since: string): Promise<boolean> {
    const { setting, hide, state, end } = this.#host
    const back = hide()
    try {
      setting.sleeps({ after, since })
      await delay(DOOR_MS)
      // Everybody who waited at the door is in.
      await turn()
      if ((await state(after).then(unheld)).since !== undefined && this.#after === after) {
        end()
        return true
      }
    } catch (error) {
      process.stderr.write(`amux guest: the computer cannot be stopped: ${String(error)}\n`)
    }
    setting.wakes()
    back()
    return false
  }
}

/** Between two looks. */
function pause(after: number): number {
  return Math.min(Math.max(after / 10, OFTEN), SELDOM)
}

/** Idle, and nothing keeps it. */
function unheld(state: IdleState): { readonly since: string | undefined } {
  return { since: (state.held ?? []).length > 0 ? undefined : state.since }
}
