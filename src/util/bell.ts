/** Somebody waits, somebody else says that something changed. */
export class Bell {
  #waiting: (() => void)[] = []

  /** Resolves at the next ring. */
  heard(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  ring(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
