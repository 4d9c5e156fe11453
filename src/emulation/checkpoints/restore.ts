import { setTimeout as delay } from 'node:timers/promises'
import type { ErrorCode, RestoreOptions, RestoreResult } from '../../contract/index.ts'
import { fail, hasCode, normalise } from '../../errors/index.ts'
import { type Answer, finishTool, runTool } from '../aside/index.ts'
import { make, tell } from './create.ts'
import { explain, HALF } from './explain.ts'
import { parse, type Point } from './info.ts'
import { partTrees } from './parts.ts'
import { expectEither } from './paths.ts'
import { outdated } from './prune.ts'
import { Ready, type Restorer, safetyText, type Wanted } from './ready.ts'
import { recover } from './recover.ts'
import { type Disk, ENGINE, type Extra, requestText, STORE, treesOf } from './store.ts'

/** Somebody else may start the computer at that moment, or restore it. As long as the engine waits for another. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 250

/** Puts the disk of a computer back. `ran`: it runs, and is to run again. */
export async function restore(restorer: Restorer, wanted: Wanted, ran: boolean, options: RestoreOptions): Promise<RestoreResult> {
  if (!ran) return finished(restorer, () => apply(new Ready(restorer, wanted, options), options)).catch(busy)
  const { id, parts } = wanted
  const { computer, progress, debug } = restorer
  // The long part while everything goes on: what fails here has cost nothing.
  progress('Keeping the present state')
  const { signal } = options
  let points: readonly Point[] = []
  const ready = Ready.prepare(restorer, wanted, options)
  // For the word to the guest, later.
  void restorer.hold()
  const { id: draft, createdAt } = await make(restorer, {
    series: 'auto',
    meta: safetyText(wanted),
    parts,
    paths: options.paths,
    still: false,
    workspace: options.keepWorkspace !== true,
    expect: id,
    onPoints: (all) => (points = all),
    signal,
  }).catch(async (error: unknown) => (await ready.leave(), Promise.reject(error)))
  const seen = points.find(({ info }) => info.id === id)?.parts
  if (parts === undefined && seen !== undefined) {
    // It came from elsewhere, and what it replaces is something else than was kept.
    await ready.leave()
    await discard(computer, draft)
    return restore(restorer, { id, parts: seen }, ran, options)
  }
  try {
    signal?.throwIfAborted()
    for (const path of options.paths ?? []) await expectEither(computer, [id, draft], path)
    await restorer.announce().catch((error: unknown) => debug(`the guest cannot be told of the restore: ${String(error)}`))
    progress(`Stopping ${computer.name}`)
    await computer.stop()
    return await startedAgain(restorer, () => finished(restorer, () => whileStopped(restorer, signal, () => apply(ready, options, { drop: draft, outdated: outdated([{ id: '', kind: 'safety', createdAt }, ...points.map(({ info }) => info)]) }))))
  } catch (error) {
    await ready.leave()
    // The present state is the present state: it needs no point to go back to.
    if (!isHalf(error)) await discard(computer, draft).catch((reason: unknown) => debug(`${draft} stays: ${String(reason)}`))
    throw error
  }
}

/** It was stopped, for all we know for somebody else's restore: nobody's programs are ended for ours. */
function busy(error: unknown): never {
  if (!hasCode(error, 'conflict')) throw error
  throw fail('locked', normalise(error).message, { hint: 'Somebody else started it, or works on its disk. Try again when that is done.', cause: error })
}

async function startedAgain({ computer, note }: Restorer, work: () => Promise<RestoreResult>): Promise<RestoreResult> {
  try {
    return await work()
  } catch (error) {
    // Nothing runs on half a disk.
    if (isHalf(error)) throw error
    await startedLater(computer).catch((reason: unknown) => note(`${computer.name} was stopped for it and does not start again: ${String(reason)}`))
    throw error
  }
}

async function discard(computer: Disk, id: string): Promise<void> {
  await runTool(computer, [ENGINE, 'rm', STORE, id], { store: true, explain })
}

/** Whoever worked on it may have been killed half way: then the rest is done by another. */
async function finished({ computer, note }: Restorer, work: () => Promise<RestoreResult>): Promise<RestoreResult> {
  try {
    return await work()
  } catch (error) {
    if (isHalf(error)) throw error
    const recovered = await recover(computer, note).catch((reason: unknown) => {
      if (hasCode(reason, 'locked')) throw reason
      throw fail('failed', 'the restore stopped half way; the computer stays stopped until it is finished', { hint: HALF, cause: { step: 'half', error, reason } })
    })
    if (recovered) return recovered
    throw error
  }
}

/** Somebody else may be at work on it, or just have stopped it for that. */
export function startedLater(computer: Disk): Promise<void> {
  return patiently(() => computer.start(), ['conflict', 'locked'])
}

async function patiently<T>(work: () => Promise<T>, codes: readonly ErrorCode[], meanwhile?: () => Promise<void>, signal?: AbortSignal): Promise<T> {
  for (const give = performance.now() + PATIENCE_MS; ; ) {
    try {
      return await work()
    } catch (error) {
      if (!hasCode(error, ...codes) || performance.now() > give) throw error
      await delay(PAUSE_MS, undefined, { signal })
      await meanwhile?.()
    }
  }
}

function whileStopped<T>({ computer }: Restorer, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  return patiently(work, ['conflict'], () => computer.stop(), signal)
}

/** From here on it is not given up: half a disk helps nobody. A process that is killed leaves it to the next start. */
async function apply(ready: Ready, { signal, paths }: RestoreOptions, extra: Extra = {}): Promise<RestoreResult> {
  signal?.throwIfAborted()
  const { restorer, wanted: { id, parts } } = ready
  restorer.progress(`Restoring ${id}`)
  const late = () => restorer.note(`Too late to stop: ${id} is put back to the end. Another Ctrl-C leaves the rest to the next start.`)
  signal?.addEventListener('abort', late, { once: true })
  try {
    const input = requestText(partTrees(await treesOf(restorer.computer), parts), { ...extra, paths })
    return resultOf(restorer, id, await finishTool(await ready.begin(), { input, onAnswer: (one) => tell(restorer, one) }))
  } finally {
    signal?.removeEventListener('abort', late)
  }
}

function resultOf({ note }: Restorer, id: string, { word, fields }: Answer): RestoreResult {
  if (word !== 'done') throw fail('internal', 'the restore ended without a result')
  const { safety, changed, missing } = parse(fields[0])
  if (Array.isArray(missing) && missing.length > 0) note(`Not restored, since they are no longer here: ${missing.join(', ')}`)
  return { restored: id, ...(typeof safety === 'string' && { safety }), changed: typeof changed === 'number' ? changed : 0 }
}

function isHalf(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Object && 'step' in error.cause && error.cause.step === 'half'
}
