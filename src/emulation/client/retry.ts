import { setTimeout as sleep } from 'node:timers/promises'
import { codes, fail, isAmuxError, normalise } from '../../errors/index.ts'

const FIRST_MS = 50
const LONGEST_MS = 5000

/**
 * Tries again, ever more slowly, as long as trying may help. Patience is counted on a clock that neither jumps nor runs
 * while the machine sleeps: a laptop that wakes the next morning has lost none of it.
 */
export async function retry<T>(attempt: () => Promise<T>, patience: number, signal?: AbortSignal): Promise<T> {
  const begun = performance.now()
  for (let delay = FIRST_MS; ; delay = Math.min(delay * 2, LONGEST_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayHelp(error) || performance.now() - begun + delay > patience) throw normalise(error)
    }
    await sleep(delay * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {
      throw fail('aborted', 'given up while reconnecting')
    })
  }
}

function mayHelp(error: unknown): boolean {
  return isAmuxError(error) && codes[error.code].transient === true
}
