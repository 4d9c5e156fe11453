import { type Seen, type Survey, parentsOf } from './trees/tree.ts'

/** Both sides as they were when they were last the same. */
export interface Pair {
  readonly source: Seen
  readonly target: Seen
  /** SHA-256 of the file on both sides. Absent where it was never counted. */
  readonly content?: string
}

/** What is known of one side now. */
export interface Side {
  readonly seen: Survey
  readonly content: ReadonlyMap<string, string>
}

export interface PlanOptions {
  /** Deletions travel too. */
  readonly delete: boolean
  /** What changed on the target's side is replaced. */
  readonly force: boolean
}

export interface Change {
  readonly path: string
  readonly action: 'add' | 'change' | 'remove'
  /** In bytes. */
  readonly size: number
}

export interface Conflict {
  readonly path: string
  /** `in the way`: a directory, or what is no file, stands where it belongs. No force moves that. */
  readonly why: 'both changed' | 'both there' | 'gone at source' | 'gone at target' | 'in the way'
}

export interface Plan {
  readonly changes: readonly Change[]
  readonly conflicts: readonly Conflict[]
  /** The same on both sides now. */
  readonly same: readonly string[]
  /** On neither side any more. */
  readonly forgotten: readonly string[]
  /** Deleted at the source, and left at the target because deletions were not asked for. */
  readonly kept: readonly string[]
}

/** Whether nothing says that it changed. */
export function untouched(now: Seen | undefined, then: Seen | undefined): boolean {
  if (!now || !then) return now === then
  return now.type === then.type && now.size === then.size && now.mode === then.mode && now.mtime === then.mtime && now.ctime === then.ctime && now.target === then.target
}

/** Only its content can say whether it changed, or whether both sides have the same. */
export function needsContent(now: Seen | undefined, then: Seen | undefined, other: Seen | undefined): boolean {
  if (now?.type !== 'file' || untouched(now, then)) return false
  return [then, other].some((one) => one?.type === 'file' && one.size === now.size)
}

/** From one side to the other: only what changed at the source and did not change at the target. */
export function plan(paths: Iterable<string>, source: Side, target: Side, memory: ReadonlyMap<string, Pair>, options: PlanOptions): Plan {
  const changes: Change[] = []
  const conflicts: Conflict[] = []
  const [same, forgotten, kept]: [string[], string[], string[]] = [[], [], []]
  for (const path of [...paths].toSorted()) {
    const [from, to, pair] = [movable(source.seen.get(path)), target.seen.get(path), memory.get(path)]
    const [here, there] = [source.content.get(path), target.content.get(path)]
    if (from && to && alike(from, to, here ?? remembered(from, pair?.source, pair), there ?? remembered(to, pair?.target, pair))) same.push(path)
    else if (!from && !movable(to)) {
      if (pair) forgotten.push(path)
    } else if (changed(from, pair?.source, here, pair)) {
      const moved = changed(to, pair?.target, there, pair)
      const why = moved ? reason(from, to, pair) : undefined
      if (!from) {
        if (!options.delete) kept.push(path)
        else if (why && !options.force) conflicts.push({ path, why })
        else changes.push({ path, action: 'remove', size: 0 })
      } else if (why && (!options.force || why === 'in the way')) conflicts.push({ path, why })
      else changes.push({ path, action: to ? 'change' : 'add', size: from.size })
    }
  }
  const blocked = obstacles(changes, target.seen)
  return { changes: changes.filter(({ path }) => !blocked.has(path)), conflicts: [...conflicts, ...[...blocked].map((path) => ({ path, why: 'in the way' }) as const)], same, forgotten, kept }
}

/** Directories come and go with what is in them; anything else stays where it is. */
function movable(seen: Seen | undefined): Seen | undefined {
  return seen?.type === 'file' || seen?.type === 'link' ? seen : undefined
}

function remembered(now: Seen, then: Seen | undefined, pair: Pair | undefined): string | undefined {
  return untouched(now, then) ? pair?.content : undefined
}

function changed(now: Seen | undefined, then: Seen | undefined, content: string | undefined, pair: Pair | undefined): boolean {
  if (!now || !then) return now !== then
  if (untouched(now, then)) return false
  if (now.type !== then.type) return true
  if (now.type === 'link') return now.target !== then.target
  if (now.size !== then.size || now.mode !== then.mode) return true
  return content === undefined || content !== pair?.content
}

/** Of permissions only what git keeps too: the rest differs by umask. */
function alike(a: Seen, b: Seen, contentA: string | undefined, contentB: string | undefined): boolean {
  if (a.type !== b.type) return false
  if (a.type === 'link') return a.target === b.target
  return a.size === b.size && (a.mode & 0o100) === (b.mode & 0o100) && contentA !== undefined && contentA === contentB
}

function reason(from: Seen | undefined, to: Seen | undefined, pair: Pair | undefined): Conflict['why'] {
  if (to && !movable(to)) return 'in the way'
  if (!from) return 'gone at source'
  if (!to) return 'gone at target'
  return pair ? 'both changed' : 'both there'
}

/** What would have to go through a file or a link that stays. */
function obstacles(changes: readonly Change[], target: Survey): ReadonlySet<string> {
  const leaving = new Set(changes.filter(({ action }) => action === 'remove').map(({ path }) => path))
  const stands = (parent: string) => !leaving.has(parent) && target.has(parent) && target.get(parent)?.type !== 'directory'
  return new Set(changes.filter(({ path, action }) => action !== 'remove' && parentsOf(path).some(stands)).map(({ path }) => path))
}
