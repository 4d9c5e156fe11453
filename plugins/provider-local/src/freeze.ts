import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { readFile, rmdir } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Frozen } from '../../../src/contract/index.ts'
import { answers, boxPath, runBox } from './box.ts'
import { codeOf, describe, fail, hasCode, parseFailure } from './errors.ts'
import type { Layout } from './layout.ts'
import type { Running } from './status.ts'

/** Nothing is frozen for longer. */
const LONGEST = 11_000
/** How long the programs of a killed computer may take to be gone. */
const DYING = 5000
const GROUP = /^amux-[0-9a-f]{16}$/

/** The control group it gets where there can be one. */
export function groupName(place: Layout): string {
  return `amux-${createHash('sha256').update(place.dir).digest('hex').slice(0, 16)}`
}

/** Every program of it, the guest too. The helper thaws them when this process ends before it does. */
export async function freeze(place: Layout, now: Running): Promise<Frozen> {
  const child = spawn(boxPath(), ['freeze', place.freeze, String(now.first.pid), now.first.ticks], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })
  const over = Promise.race([once(child, 'exit'), once(child, 'error')]).catch(() => undefined)
  child.stdin.on('error', () => undefined)
  const first = (await answers(child).next()).value
  if (first?.startsWith('frozen ') !== true) {
    child.stdin.destroy()
    await over
    throw refused(place, typeof first === 'string' ? first : '')
  }
  return {
    thaw: async () => {
      child.stdin.end()
      await over
      child.stdout.destroy()
    },
  }
}

function refused(place: Layout, line: string) {
  const failure = parseFailure(line)
  if (failure?.step === 'gone') return fail('not_running', `${place.name} does not run`, { computer: place.name })
  if (failure?.step === 'busy') return fail('locked', `${place.name} is frozen already`, { computer: place.name })
  return fail(failure ? codeOf(failure) : 'failed', `cannot freeze ${place.name}: ${failure ? describe(failure) : 'its helper gave no answer'}`, { computer: place.name })
}

/** Whoever froze it. */
export async function thaw(place: Layout, now: Running): Promise<void> {
  const touched = statSync(place.freeze, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (Date.now() - touched < LONGEST) await runBox(['thaw', place.freeze, String(now.first.pid), now.first.ticks])
}

/** What a keeper that was killed could not remove. Its programs may be dying still: a group is busy until the last is gone. */
export async function dropGroup(place: Layout): Promise<void> {
  const path = (await readFile(place.freeze, 'utf8').catch(() => '')).split('\n')[0] ?? ''
  if (!GROUP.test(basename(path))) return
  const give = performance.now() + DYING
  while (!(await removed(path)) && performance.now() < give) await delay(5)
}

/** Or not to be removed by us. */
async function removed(path: string): Promise<boolean> {
  return rmdir(path).then(
    () => true,
    (error: unknown) => !hasCode(error, 'EBUSY'),
  )
}
