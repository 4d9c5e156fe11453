import type { EquippedComputer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import type { Conflict, Direction, RefConflict, SyncPlaces, SyncResult } from '../sync/index.ts'
import { cleanLine } from '../util/text.ts'

const signs = { add: '+', change: '~', remove: '-' } as const
const SHOWN = 10

export interface Told {
  readonly computer: EquippedComputer
  readonly places: SyncPlaces
  readonly direction: Direction
  readonly dryRun: boolean
}

/** One line for each thing that is done, or refused (`!`). */
export function linesOf({ plan, history, unsettled }: SyncResult, direction: Direction, computer: string): string[] {
  const skipped = new Set(unsettled.map(({ path }) => path))
  const carried = plan.changes.filter(({ path }) => !skipped.has(path)).map(({ path, action }) => `${signs[action]} ${cleanLine(path)}`)
  const refused = plan.conflicts.map((conflict) => `! ${cleanLine(conflict.path)}   ${reason(conflict, direction, computer)}`)
  const moves = history?.moves.map(({ name, old, new: value }) => `${old === undefined ? '+' : '~'} .git ${short(name)}   ${old === undefined ? '' : `${short(old)} -> `}${short(value)}`) ?? []
  const head = history?.head === undefined ? [] : [`~ .git HEAD   ${short(history.head)}`]
  const apart = history?.conflicts.map((one) => `! .git ${short(one.name)}   ${refReason(one, direction, computer)}`) ?? []
  return [...carried, ...moves, ...head, ...refused, ...apart]
}

export function documentOf({ plan, history, left, unsettled, staged }: SyncResult, { computer, places, direction, dryRun }: Told): Record<string, unknown> {
  const skipped = new Set(unsettled.map(({ path }) => path))
  return {
    computer: computer.name,
    provider: computer.provider,
    workspace: places.workspace,
    direction,
    dryRun,
    changes: plan.changes.filter(({ path }) => !skipped.has(path)),
    conflicts: plan.conflicts,
    kept: plan.kept,
    left,
    unsettled,
    refs: history?.moves ?? [],
    refConflicts: history?.conflicts ?? [],
    ...(history?.head !== undefined && { head: history.head }),
    staged,
  }
}

/** Nothing was carried: what it is about, by name, and how to go on. */
export function refusal({ plan, history }: SyncResult, { computer, direction }: Told): Error {
  const names = [...plan.conflicts.map((one) => `${one.path} (${reason(one, direction, computer.name)})`), ...(history?.conflicts.map((one) => `.git ${short(one.name)} (${refReason(one, direction, computer.name)})`) ?? [])]
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  const stuck = plan.conflicts.filter(({ why }) => why === 'in the way')
  const paths = plan.conflicts.filter(({ why }) => why !== 'in the way').slice(0, 3).map(({ path }) => quoted(path)).join(' ')
  const other = direction === 'push' ? 'pull' : 'push'
  const [mine, its] = direction === 'push' ? ['yours there', 'theirs here'] : ['theirs here', 'yours there']
  const hint = [
    ...(paths === '' ? [] : [`To have ${mine}: amux computer sync ${direction} --force ${paths}`, `To have ${its}: amux computer sync ${other} --force ${paths}`]),
    ...(stuck.length > 0 ? [`Move out of the way what is there: ${stuck.slice(0, 3).map(({ path }) => path).join(', ')}`] : []),
    ...(history && history.conflicts.length > 0 ? ['Bring commits together with git push and git pull through a remote of both; or leave history out: --no-git'] : []),
  ]
  return fail('confirmation_required', `nothing was copied: ${names.slice(0, SHOWN).map(cleanLine).join(', ')}${more}`, { hint: hint.join('\n'), computer: computer.name })
}

function reason({ why }: Conflict, direction: Direction, computer: string): string {
  const [source, target] = direction === 'push' ? ['here', `on ${computer}`] : [`on ${computer}`, 'here']
  const words = {
    'both changed': 'changed on both sides',
    'both there': 'differs, and was never synced',
    'gone at source': `deleted ${source}, changed ${target}`,
    'gone at target': `changed ${source}, deleted ${target}`,
    'in the way': `something else is in its place ${target}`,
  }
  return words[why]
}

function refReason({ why }: RefConflict, direction: Direction, computer: string): string {
  return why === 'busy' ? `another worktree ${direction === 'push' ? `on ${computer}` : 'here'} is on it` : 'has commits on both sides'
}

function short(name: string): string {
  return /^[0-9a-f]{40,64}$/u.test(name) ? name.slice(0, 9) : name.replace(/^refs\/(heads\/)?/u, '')
}

function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/u.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
