import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectContext } from '../../../src/contract/index.ts'
import { accepts, makePrivate } from '../../shared/sockets.ts'
import { answers, boxPath } from './box.ts'
import { codeOf, describe, fail, parseFailure, throwIfAborted } from './errors.ts'
import { prepareGuest } from './guest.ts'
import { halt } from './halt.ts'
import type { Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { requireNetwork } from './network.ts'
import { rootPlan } from './plan-root.ts'
import { userPlan } from './plan-user.ts'
import { type Running, running } from './status.ts'

const PATIENCE = 15_000
const GUEST_PATIENCE = 10_000
/** Within this everything on a computer has ended that was told to. */
const ENDING_PATIENCE = 17_000

/** Until the guest answers. Somebody else may be starting the same one: then waits for theirs; one that just ends is started anew. */
export async function boot(place: Layout, meta: Meta, context: ConnectContext, signal?: AbortSignal): Promise<void> {
  for (let tries = 0; ; tries++) {
    const ours = await bring(place, meta, context, signal)
    try {
      return await untilGuest(place, ours ? GUEST_PATIENCE : ENDING_PATIENCE, signal)
    } catch (error) {
      if (ours) await halt(place, { grace: 0 })
      if (ours || tries > 0 || signal?.aborted || running(place) !== undefined) throw error
    }
  }
}

/** True: it was not running, and does now. False: somebody else's start, or one from before. */
async function bring(place: Layout, meta: Meta, context: ConnectContext, signal?: AbortSignal): Promise<boolean> {
  const give = performance.now() + PATIENCE
  let ours = false
  while (!ours && running(place) === undefined) {
    throwIfAborted(signal)
    ours = await keep(place, meta, context)
    if (ours) break
    if (performance.now() > give) {
      throw fail('locked', `another amux has been starting or stopping ${place.name} for ${PATIENCE / 1000} s`, { computer: place.name })
    }
    await delay(10)
  }
  return ours
}

/** Starts the keeper; false when another one holds the lock. */
async function keep(place: Layout, meta: Meta, context: ConnectContext): Promise<boolean> {
  makePrivate(place.run)
  const child = spawn(boxPath(), ['keep', place.lock, place.log], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => undefined)
  child.stdin?.on('error', () => undefined)
  child.unref()
  const lines = answers(child)
  try {
    const first = (await Promise.race([lines.next(), failed])).value
    if (first === 'busy') return false
    if (first !== 'locked') throw refused(place, first)
    await send(child, place, meta, context)
    const second = (await lines.next()).value
    if (second?.startsWith('ok ')) return true
    throw refused(place, second)
  } finally {
    child.stdin?.destroy()
    child.stdout?.destroy()
  }
}

/** Between taking the lock and the plan nobody else touches the computer. */
async function send(child: ChildProcess, place: Layout, meta: Meta, context: ConnectContext): Promise<void> {
  requireNetwork(place, meta)
  const node = await prepareGuest(place, meta, context.guest)
  const make = meta.tier === 'root' ? rootPlan : userPlan
  child.stdin?.end(make({ place, meta, dataDir: context.dataDir, node }).text())
}

function refused(place: Layout, line: string | void) {
  const failure = typeof line === 'string' ? parseFailure(line) : undefined
  const what = failure ? describe(failure) : 'its keeper ended without an answer'
  return fail(failure ? codeOf(failure) : 'failed', `cannot start ${place.name}: ${what}`, {
    computer: place.name,
    hint: 'See what this machine lacks: amux doctor',
    cause: failure,
  })
}

async function untilGuest(place: Layout, patience: number, signal?: AbortSignal): Promise<void> {
  const give = performance.now() + patience
  const socket = join(place.run, 'guest.sock')
  for (let pause = 2; ; pause = Math.min(pause * 1.3, 50)) {
    throwIfAborted(signal)
    const now: Running | undefined = running(place)
    if (now !== undefined && (await accepts(socket))) return
    if (now === undefined || performance.now() > give) throw await deaf(place, now !== undefined, patience)
    await delay(pause)
  }
}

async function deaf(place: Layout, alive: boolean, patience: number) {
  const log = (await readFile(place.log, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join('; ')
  const what = alive ? `its guest does not answer within ${patience / 1000} s` : 'it ended at once'
  return fail('unavailable', `cannot start ${place.name}: ${what}${log === '' ? '' : ` (${log})`}`, { computer: place.name, hint: `Its log: ${place.log}` })
}
