/** Those who wait for something to become true. */
export class Watchers {
  readonly #all = new Set<() => void>()

  tell(): void {
    for (const look of this.#all) look()
  }

  /** Resolves when `check` holds; rejects when `signal` fires first. */
  until(check: () => boolean, signal?: AbortSignal): Promise<void> {
    if (check()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#all.delete(look)
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      const look = () => {
        if (check()) settle(resolve)
      }
      const onAbort = () => settle(() => reject(signal?.reason))
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener('abort', onAbort)
      this.#all.add(look)
    })
  }
}
