import type { EquippedComputer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { withLock } from '../util/lock.ts'
import { carryFile } from './carry-file.ts'
import { type HistoryPlan, planHistory } from './history/plan.ts'
import { moveHistory } from './history/move.ts'
import { readBusy, readRefs } from './history/refs.ts'
import { type Places, type Memory, type Refs, type Remembered, memoryFile, readMemory, scratchOf, writeMemory } from './memory.ts'
import { type Pair, type Plan, type Side, needsContent, plan, untouched } from './plan.ts'
import { type CopyOptions, remoteStat } from './sides.ts'
import { type LeftOut, gatherNames } from './names.ts'
import { type Direction, type Ends, type Unsettled, transfer } from './transfer.ts'
import { Here } from './trees/here.ts'
import { There } from './trees/there.ts'
import { type Survey, type Tree, survey } from './trees/tree.ts'

export interface SyncOptions extends CopyOptions {
  readonly direction: Direction
  /** Relative to the project: only these and what is below. Empty: everything. */
  readonly only: readonly string[]
  readonly delete: boolean
  readonly force: boolean
  /** Branches, tags and HEAD too. */
  readonly git: boolean
  readonly dryRun: boolean
  progress(text: string): void
}

export interface SyncResult {
  readonly plan: Plan
  readonly history?: HistoryPlan
  /** Listed at the source and not carried. */
  readonly left: readonly LeftOut[]
  /** Whether anything was carried out. False: dry, or refused for its conflicts. */
  readonly done: boolean
  readonly unsettled: readonly Unsettled[]
  /** The target's index stayed as it was: something was staged. */
  readonly staged: boolean
}

/** See `syncProject`. */
export async function synchronise(computer: EquippedComputer, places: Places, options: SyncOptions): Promise<SyncResult> {
  const { signal, progress } = options
  const onWait = () => progress('Waiting for another amux that syncs with this computer')
  return withLock(`${memoryFile(places)}.lock`, () => run(computer, places, options), { signal, onWait })
}

async function run(computer: EquippedComputer, places: Places, options: SyncOptions): Promise<SyncResult> {
  const { direction, signal } = options
  const scratch = scratchOf(places)
  const ends: Ends = { computer, direction, here: new Here(places.root, scratch, signal), there: new There(computer, places.workspace, scratch, signal) }
  const made = await prepare(ends, options)
  try {
    return await compareAndCarry(ends, places, made ? undefined : await readMemory(places), options)
  } finally {
    await ends.here.tidy()
    // What cannot be reached any more is tidied by the next one.
    await ends.there.tidy().catch(() => undefined)
  }
}

/** A workspace that is no longer there is begun anew by a push. True: nothing is on the computer yet. */
async function prepare({ computer, here, there, direction }: Ends, { dryRun }: SyncOptions): Promise<boolean> {
  if ((await remoteStat(computer, there.root))?.type === 'directory') return false
  if (direction === 'pull' || dryRun) {
    throw fail('not_found', `there is no ${there.root} on ${computer.name}`, { hint: 'Make it, with the project in it: amux computer sync push', computer: computer.name })
  }
  await computer.files.mkdir(there.root, { parents: true })
  if ((await here.names()).git) await there.shell('git init -q')
  return true
}

async function compareAndCarry(ends: Ends, places: Places, memory: Memory | undefined, options: SyncOptions): Promise<SyncResult> {
  const { here, there, direction } = ends
  options.progress('Comparing')
  const known = new Map(Object.entries(memory?.files ?? {}))
  const { paths, left, git } = await gatherNames(here, there, direction, known.keys(), options.only)
  await expectSomewhere(ends, paths, options.only)
  const withHistory = options.git && git && options.only.length === 0
  const [seenHere, seenThere, refs] = await Promise.all([survey(here, paths), survey(there, paths), withHistory ? historyOf(ends, memory, options.force) : undefined])
  const [sideHere, sideThere] = await Promise.all([
    sideOf(here, seenHere, seenThere, (path) => known.get(path)?.here, paths),
    sideOf(there, seenThere, seenHere, (path) => known.get(path)?.there, paths),
  ])
  const [source, target] = direction === 'push' ? [sideHere, sideThere] : [sideThere, sideHere]
  const planned = plan(paths, source, target, turned(known, direction), options)
  const history = refs?.plan
  const refused = planned.conflicts.length > 0 || (history?.conflicts.length ?? 0) > 0
  const result: SyncResult = { plan: planned, left: left(source.seen), done: false, unsettled: [], staged: false, ...(history && { history }) }
  if (options.dryRun || refused) return result
  const { copied, removed, unsettled } = await transfer(ends, planned.changes, source, target, options)
  const files = new Map(known)
  for (const path of planned.same) files.set(path, agreed(path, sideHere, sideThere, known.get(path)))
  for (const path of [...planned.forgotten, ...removed]) files.delete(path)
  for (const [path, pair] of copied) files.set(path, remembered(pair, direction))
  const kept = { files: Object.fromEntries(files), ...(memory?.refs && { refs: memory.refs }) }
  await writeMemory(places, kept)
  if (!refs) return { ...result, done: true, unsettled }
  const staged = await follow(ends, refs, options.signal)
  await writeMemory(places, { ...kept, refs: staged === undefined ? refs.now : await refsNow(ends) })
  return { ...result, done: true, unsettled, staged: staged === true }
}

/** What was named is on one side at least, or was. */
async function expectSomewhere({ here, there, computer }: Ends, paths: readonly string[], only: readonly string[]): Promise<void> {
  const unknown = only.filter((one) => !paths.some((path) => path === one || path.startsWith(`${one}/`)))
  if (unknown.length === 0) return
  const sides = await Promise.all([here.look(unknown), there.look(unknown)])
  const nowhere = unknown.find((one) => !sides.some((side) => side.has(one)))
  if (nowhere !== undefined) throw fail('not_found', `${nowhere} is neither in ${here.root} nor in ${there.root} on ${computer.name}`, { computer: computer.name })
}

/** Counts the content of those files alone of which nothing else tells whether they changed. */
async function sideOf(tree: Tree, seen: Survey, other: Survey, then: (path: string) => Remembered['here'] | undefined, paths: readonly string[]): Promise<Side> {
  return { seen, content: await tree.digest(paths.filter((path) => needsContent(seen.get(path), then(path), other.get(path)))) }
}

interface History {
  readonly plan: HistoryPlan
  readonly now: NonNullable<Memory['refs']>
}

async function historyOf(ends: Ends, memory: Memory | undefined, force: boolean): Promise<History | undefined> {
  const { here, there, direction } = ends
  const push = direction === 'push'
  const [mine, its, busy] = await Promise.all([readRefs(here), readRefs(there), readBusy(push ? there : here)])
  if (!mine || !its) return undefined
  const then = memory?.refs && (push ? { source: memory.refs.here, target: memory.refs.there } : { source: memory.refs.there, target: memory.refs.here })
  const now = push ? { source: mine, target: its } : { source: its, target: mine }
  const trees = push ? { source: here, target: there } : { source: there, target: here }
  return { plan: await planHistory(trees, now, then, { force, busy }), now: { here: mine, there: its } }
}

/** Whether something staged was in the way of the index. Undefined: there was nothing to move. */
async function follow(ends: Ends, { plan: { moves, head, conflicts }, now }: History, signal: AbortSignal): Promise<boolean | undefined> {
  if (moves.length === 0 && head === undefined) return undefined
  const push = ends.direction === 'push'
  const [from, to] = push ? [ends.here, ends.there] : [ends.there, ends.here]
  const has = Object.values(push ? now.there : now.here).filter((value) => !value.startsWith('refs/'))
  const moved = await moveHistory(from, to, { moves, conflicts, ...(head !== undefined && { head }) }, has, `${ends.here.scratch}/pack`, (name) => carryFile(ends, name, signal))
  return moved.staged
}

async function refsNow({ here, there }: Ends): Promise<{ readonly here: Refs; readonly there: Refs }> {
  const [mine, its] = await Promise.all([readRefs(here), readRefs(there)])
  return { here: mine ?? {}, there: its ?? {} }
}

function turned(known: ReadonlyMap<string, Remembered>, direction: Direction): ReadonlyMap<string, Pair> {
  const push = direction === 'push'
  return new Map([...known].map(([path, { here, there, content }]) => [path, { source: push ? here : there, target: push ? there : here, ...(content !== undefined && { content }) }]))
}

function remembered({ source, target, content }: Pair, direction: Direction): Remembered {
  const push = direction === 'push'
  return { here: push ? source : target, there: push ? target : source, ...(content !== undefined && { content }) }
}

/** Looked at just now, and the same on both sides. */
function agreed(path: string, here: Side, there: Side, before: Remembered | undefined): Remembered {
  const [mine, its] = [here.seen.get(path), there.seen.get(path)]
  if (!mine || !its) throw fail('internal', `${path} is not on both sides`)
  const content = here.content.get(path) ?? there.content.get(path) ?? (untouched(mine, before?.here) ? before?.content : undefined)
  return { here: mine, there: its, ...(content !== undefined && { content }) }
}
