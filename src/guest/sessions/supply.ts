import { Holder } from './holder.ts'

/**
 * Connections to the supervisor. One is made ahead, since behind it a holder is ready by then: a program starts sooner.
 */
export class Supply {
  readonly #path: string
  #spare: Holder | undefined

  constructor(path: string) {
    this.#path = path
  }

  take(): Holder {
    const spare = this.#spare
    this.#spare = undefined
    return spare?.fresh === true ? spare : new Holder(this.#path)
  }

  /** After a start, not during it. */
  restock(): void {
    if (this.#spare?.fresh !== true) this.#spare = new Holder(this.#path)
  }
}
