import type { Refs } from '../memory.ts'
import type { Tree } from '../trees/tree.ts'

export interface Move {
  /** `refs/heads/…` or `refs/tags/…`. */
  readonly name: string
  /** At the target now; absent when it is new there. */
  readonly old?: string
  readonly new: string
}

export interface HistoryPlan {
  readonly moves: readonly Move[]
  /** What HEAD becomes at the target. */
  readonly head?: string
  readonly conflicts: readonly RefConflict[]
}

export interface RefConflict {
  readonly name: string
  /** `busy`: a worktree of its own is on it at the target. No force moves that. */
  readonly why: 'both moved' | 'busy'
}

interface Ends {
  readonly source: Tree
  readonly target: Tree
}

interface State {
  readonly source: Refs
  readonly target: Refs
}

export interface HistoryOptions {
  /** Refs move that moved at the target too. */
  readonly force: boolean
  /** Branches of the target that may not move. */
  readonly busy: ReadonlySet<string>
}

/** The same rule as for files, for each ref. Deletions of refs do not travel. */
export async function planHistory(trees: Ends, now: State, then: State | undefined, { force, busy }: HistoryOptions): Promise<HistoryPlan> {
  const moves: Move[] = []
  const conflicts: RefConflict[] = []
  for (const [name, value] of Object.entries(now.source)) {
    const there = now.target[name]
    if (name === 'HEAD' || value === there || value === then?.source[name]) continue
    const move = { name, new: value, ...(there !== undefined && { old: there }) }
    const moved = there !== then?.target[name]
    const order = !moved || there === undefined || force ? 'ahead' : await compare(trees, value, there)
    if (order === 'apart') conflicts.push({ name, why: 'both moved' })
    else if (order === 'ahead' && busy.has(name)) conflicts.push({ name, why: 'busy' })
    else if (order === 'ahead') moves.push(move)
  }
  const [from, to] = [now.source['HEAD'], now.target['HEAD']]
  const unborn = to?.startsWith('refs/') === true && now.target[to] === undefined
  const follows = from !== undefined && from !== to && (unborn || (from !== then?.source['HEAD'] && (force || (then !== undefined && to === then.target['HEAD']))))
  return { moves, conflicts, ...(follows && { head: from }) }
}

/** Whether one holds all that the other has: each side is asked about what it knows. */
async function compare({ source, target }: Ends, from: string, to: string): Promise<'ahead' | 'behind' | 'apart'> {
  const ANCESTOR = 'git merge-base --is-ancestor "$1" "$2" 2>/dev/null'
  if ((await source.shell(ANCESTOR, { args: [to, from] })).code === 0) return 'ahead'
  return (await target.shell(ANCESTOR, { args: [from, to] })).code === 0 ? 'behind' : 'apart'
}
