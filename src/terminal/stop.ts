import type { Attachment } from '../contract/index.ts'

const STEP_MS = 2000

/** Sends one signal after the other, each with a moment to work, until `over` settles. */
export async function escalate(attachment: Attachment, over: Promise<unknown>, signals: readonly string[]): Promise<void> {
  for (const signal of signals) {
    await within(attachment.kill(signal), STEP_MS)
    if (await within(over, STEP_MS)) return
  }
}

/** Whether it settled in time. Never throws. */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const done = work.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}
