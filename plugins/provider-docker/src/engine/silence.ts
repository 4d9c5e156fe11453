const QUIET_MS = 5000
const PATIENCE_MS = 10_000

/** Waits for `work` as long as it takes, unless whoever does it does not even say that it is there. */
export async function unlessSilent<T>(work: Promise<T>, ping: () => Promise<unknown>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      timer = setTimeout(() => reject(new Error(`it does not answer within ${(QUIET_MS + PATIENCE_MS) / 1000} s`)), PATIENCE_MS)
      // However it answers, somebody is there.
      void ping().then(() => clearTimeout(timer), () => clearTimeout(timer))
    }, QUIET_MS)
  })
  try {
    return await Promise.race([work, silent])
  } finally {
    clearTimeout(timer)
  }
}
