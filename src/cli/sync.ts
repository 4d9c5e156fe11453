import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { relative, resolve, sep } from 'node:path'
import type { EquippedComputer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { locate, noteWorkspace } from '../project/index.ts'
import { type Direction, type SyncPlaces, type SyncResult, syncProject } from '../sync/index.ts'
import { formatBytes } from '../util/bytes.ts'
import type { AmuxCommand } from './base.ts'
import { type ComputerSelection, computerFlags } from './flags.ts'
import { type Told, documentOf, linesOf, refusal } from './sync-report.ts'

export const syncArg = string({ description: 'Files and directories of the project: only these. Default: all of it.', ignoreStdin: true })

export const syncFlags = {
  ...computerFlags,
  delete: boolean({ summary: 'Delete on the other side what was deleted on this one.' }),
  force: boolean({ summary: 'Replace what changed on both sides.' }),
  git: boolean({ summary: 'Branches, tags and HEAD too.', default: true, allowNo: true }),
  'dry-run': boolean({ char: 'n', summary: 'Only show what would be done.' }),
}

interface Flags extends ComputerSelection {
  readonly delete: boolean
  readonly force: boolean
  readonly git: boolean
  readonly 'dry-run': boolean
}

type Command = Pick<AmuxCommand, 'amux' | 'out' | 'signal'>

/** Status 1 where somebody is at work on a file that was to be carried. */
export async function sync(command: Command, direction: Direction, typed: readonly string[], flags: Flags): Promise<number> {
  const { amux, out, signal } = command
  const { root, worktree, cwd } = amux.project()
  const only = typed.map((path) => inProject(root, cwd, path)).filter((path) => path !== '')
  const computer = await amux.computer(flags, { start: true })
  const { places, shared, keep } = await placesOf(command, computer)
  if (shared) {
    out.note(`${computer.name} sees the project itself: there is nothing to ${direction}.`)
    if (out.json) out.data({ computer: computer.name, provider: computer.provider, workspace: root, direction, shared: true, changes: [] }, () => '')
    return 0
  }
  if (worktree !== root) throw fail('conflict', `${worktree} is not on ${computer.name}, which has ${root}`, { hint: `Go there: cd ${root}`, computer: computer.name })
  const whole = only.length === typed.length ? only : []
  const options = { direction, only: whole, delete: flags.delete, force: flags.force, git: flags.git, dryRun: flags['dry-run'], signal }
  const result = await syncProject(computer, places, { ...options, progress: (text) => out.progress(text), onBytes: shown(command, direction), onSkipped: (path, what) => out.say(`amux: left out ${path}: ${what}`) })
  if (direction === 'push' && result.done) await keep()
  return tell(command, { computer, places, direction, dryRun: options.dryRun }, result)
}

interface Placed {
  readonly places: SyncPlaces
  /** The computer sees the project itself. */
  readonly shared: boolean
  /** Has the record say where the project is, if it did not. */
  keep(): Promise<void>
}

/** Where the project is on a computer that is its own; on one that was taken over, where it would have been put. */
async function placesOf({ amux }: Command, computer: EquippedComputer): Promise<Placed> {
  const { provider, name } = computer
  const store = await amux.followed()
  const located = locate(store?.read(), { provider, computer: name })
  if (!store || !located) {
    throw fail('conflict', `${name} is no computer of this project`, { hint: `Make it one: amux computer use ${name} -P ${provider}`, provider, computer: name })
  }
  const { root, name: called } = amux.project()
  const info = await computer.info()
  const home = info.user?.home
  const shared = info.workspace === root && info.ownWorkspace !== true
  const workspace = shared ? root : (located.workspace ?? info.workspace ?? (home === undefined ? undefined : `${home}/${called}`))
  if (workspace === undefined || (workspace === root && info.workspace !== root)) {
    throw fail('conflict', `it is not known where this project is on ${name}`, { hint: 'Copy files instead: amux computer cp', provider, computer: name })
  }
  const keep = async () => (located.workspace === undefined ? noteWorkspace(store, provider, { ...info, workspace }) : undefined)
  return { places: { root, provider, computer: name, workspace, createdAt: info.createdAt }, shared, keep }
}

function inProject(root: string, cwd: string, path: string): string {
  const way = relative(root, resolve(cwd, path)).split(sep).join('/')
  if (way === '..' || way.startsWith('../')) throw fail('invalid_argument', `${path} is not in the project ${root}`)
  if (way.split('/')[0] === '.amux' || way.split('/').includes('.git')) throw fail('invalid_argument', `${path} is nothing that sync carries by name`)
  return way
}

function shown({ out }: Command, direction: Direction): (count: number) => void {
  let last = performance.now()
  return (count) => {
    if (performance.now() - last < 500) return
    last = performance.now()
    out.progress(`${direction === 'push' ? 'Pushing' : 'Pulling'}: ${formatBytes(count)}`)
  }
}

function tell({ out }: Command, told: Told, result: SyncResult): number {
  const { direction, dryRun, computer } = told
  const lines = linesOf(result, direction, computer.name)
  const { plan, left, unsettled, staged, done } = result
  for (const { path, why } of left) out.note(`left out ${path}: ${why}`)
  if (!done && !dryRun) {
    if (!out.json) for (const line of lines.filter((one) => one.startsWith('!'))) out.say(line)
    throw refusal(result, told)
  }
  if (out.json || lines.length > 0) out.data(documentOf(result, told), () => lines.join('\n'))
  else out.note(`Nothing to ${direction}: ${direction === 'push' ? computer.name : 'this project'} has all that changed ${direction === 'push' ? 'here' : `on ${computer.name}`}.`)
  if (plan.kept.length > 0) out.note(`${count(plan.kept.length, 'file')} deleted on one side ${plan.kept.length === 1 ? 'stays' : 'stay'} on the other: --delete takes ${plan.kept.length === 1 ? 'it' : 'them'} there too.`)
  if (staged) out.note('Something is staged there: its index was left as it is.')
  if (unsettled.length === 0) return 0
  out.say(`amux: ${count(unsettled.length, 'file')} changed meanwhile and ${unsettled.length === 1 ? 'was' : 'were'} left: ${unsettled.map(({ path }) => path).join(', ')}`)
  out.say(`  Try again: amux computer sync ${direction}`)
  return 1
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
