import { setTimeout as delay } from 'node:timers/promises'
import { fail, hasCode, throwIfAborted } from './errors.ts'
import { thaw } from './freeze.ts'
import type { Layout } from './layout.ts'
import { lives, type ProcessId, running } from './status.ts'

/** The keeper ends everything within this; then it is killed itself, and its computer with it. */
const GRACE = 17_000
const DEATH = 10_000

/** Until nothing of it runs any more. */
export async function halt(place: Layout, options: { readonly grace?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
  const now = running(place)
  if (now === undefined) return
  const { grace = GRACE, signal } = options
  await thaw(place, now)
  if (grace > 0) {
    send(now.keeper, 'SIGTERM')
    if (await ended([now.keeper, now.first], grace, signal)) return
  }
  send(now.first, 'SIGKILL')
  if (await ended([now.keeper, now.first], DEATH, signal)) return
  send(now.keeper, 'SIGKILL')
  if (await ended([now.keeper, now.first], DEATH, signal)) return
  throw fail('failed', `${place.name} does not end: process ${now.first.pid} survives SIGKILL`, {
    computer: place.name,
    hint: 'It waits for a device or a network file system. See it with: ps -o pid,stat,wchan,args -p ' + String(now.first.pid),
  })
}

async function ended(processes: readonly ProcessId[], limit: number, signal?: AbortSignal): Promise<boolean> {
  const give = performance.now() + limit
  for (let pause = 2; processes.some((process) => lives(process)); pause = Math.min(pause * 1.3, 50)) {
    throwIfAborted(signal)
    if (performance.now() > give) return false
    await delay(pause)
  }
  return true
}

function send(target: ProcessId, signal: NodeJS.Signals): void {
  if (!lives(target)) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}
