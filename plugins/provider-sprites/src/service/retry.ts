import { setTimeout as sleep } from 'node:timers/promises'
import { given, hasCode, isLasting } from '../errors.ts'

const TRIES = 5
const FIRST_MS = 250
/** All waiting together; the service may ask for more, up to the second. */
const PATIENCE_MS = 30_000
const MOST_MS = 60_000

/** Again where trying again may help: at most five times, later each time, never at the same moment as others. */
export async function retrying<T>(work: () => Promise<T>, signal: AbortSignal | undefined, debug: (text: string) => void): Promise<T> {
  let waited = 0
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const pause = pauseFor(error, tries, waited)
      if (pause === undefined || signal?.aborted) throw withWaiting(error, waited)
      debug(`trying again in ${Math.round(pause)} ms: ${String(error)}`)
      waited += pause
      await sleep(pause, undefined, signal && { signal }).catch(() => {
        throw given(signal)
      })
    }
  }
}

/** A limit that is still there after a while is told with how long that was. */
export function withWaiting(error: unknown, waited: number): unknown {
  if (hasCode(error, 'rate_limited') && error instanceof Error && waited >= 1000) error.message += `; amux has waited ${Math.round(waited / 1000)} s`
  return error
}

/** Whether the same may go well later. */
export function mayPass(error: unknown): boolean {
  return hasCode(error, 'rate_limited', 'unavailable', 'connection_lost') && !isLasting(error)
}

function pauseFor(error: unknown, tries: number, waited: number): number | undefined {
  if (!mayPass(error) || tries >= TRIES) return undefined
  const asked = error instanceof Object && 'retryAfter' in error && typeof error.retryAfter === 'number' ? error.retryAfter * 1000 : 0
  const pause = Math.max(asked, FIRST_MS * 2 ** (tries - 1) * (0.5 + Math.random()))
  return waited + pause <= (asked > 0 ? MOST_MS : PATIENCE_MS) ? pause : undefined
}
