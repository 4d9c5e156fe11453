import type { AmuxError } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'

/** A guest that runs has answered by then, unless its machine is very busy. */
const SILENT_MS = 1500
/** One that says nothing for so long after it was woken is gone. */
const GONE_MS = 20_000

/**
 * For an answer that a guest standing still would never give: the kernel lets everybody in who connects to one. It is
 * woken after a while. Returns what ends the watch; `onGone` is called where waking did not help.
 */
export function watchSilence(wake: () => Promise<void>, onGone: (error: AmuxError) => void): () => void {
  let over = false
  const give = () => onGone(fail('connection_lost', 'the computer does not answer'))
  let timer = setTimeout(() => {
    const woken = () => void (over || (timer = setTimeout(give, GONE_MS)))
    wake().then(woken, (error: unknown) => over || onGone(normalise(error)))
  }, SILENT_MS)
  return () => {
    over = true
    clearTimeout(timer)
  }
}

/** The same for what may be asked again. */
export async function orWoken<T>(answer: Promise<T>, wake: () => Promise<void>): Promise<T> {
  let heard = (): void => {}
  const gone = new Promise<never>((_, reject) => (heard = watchSilence(wake, reject)))
  return Promise.race([answer, gone]).finally(heard)
}
