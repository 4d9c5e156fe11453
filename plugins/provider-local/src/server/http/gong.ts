/** Wakes everybody who waits. */
export class Gong {
  #waiting: Promise<void> | undefined
  #wake: () => void = () => {}

  strike(): void {
    this.#waiting = undefined
    this.#wake()
    this.#wake = () => {}
  }

  /** Resolves at the next strike. */
  next(): Promise<void> {
    this.#waiting ??= new Promise((resolve) => (this.#wake = resolve))
    return this.#waiting
  }
}
