import { string } from '@oclif/core/args'
import { posix } from 'node:path'
import type { CheckpointInfo, EquippedComputer, RestoreResult } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { pathOn } from '../project/index.ts'
import { formatBytes } from '../util/bytes.ts'
import { formatAgo } from '../util/duration.ts'
import type { AmuxCommand } from './base.ts'
import type { Context } from './context.ts'
import { placeOn } from './place.ts'
import type { Columns } from './table.ts'

export const checkpointArg = string({ required: true, description: 'Id of a checkpoint: v3, auto-2.', ignoreStdin: true })

export const checkpointColumns: Columns<CheckpointInfo> = {
  id: ({ id }) => id,
  created: ({ createdAt }) => formatAgo(createdAt),
  kind: ({ kind }) => (kind === 'manual' ? '' : kind),
  size: ({ size }) => (size === undefined ? '' : formatBytes(size)),
  cost: ({ cost }) => (cost === undefined ? '' : formatBytes(cost)),
  message: ({ message }) => message,
}

/** A path as the user types it, for a time when the computer may not run: absolute, without `.` and `..`. */
export async function absoluteOn(amux: Context, computer: EquippedComputer, path: string): Promise<string> {
  if (path === '') throw fail('invalid_argument', 'a path is empty')
  if (path.startsWith('/')) return posix.normalize(path)
  const { user } = await computer.info()
  const home = user?.home ?? '/'
  if (path === '~' || path.startsWith('~/')) return posix.normalize(posix.join(home, path.slice(1)))
  const { directory, away } = await placeOn(amux, computer)
  if (away) throw away
  return posix.normalize(posix.resolve(home, pathOn(directory, path)))
}

/** `v3:/etc/hosts`. */
export function splitPath(text: string): readonly [string, string] {
  const cut = text.indexOf(':')
  if (cut > 0 && cut < text.length - 1) return [text.slice(0, cut), text.slice(cut + 1)]
  throw fail('invalid_argument', `${JSON.stringify(text)} names no file of a checkpoint`, { hint: 'amux computer checkpoint cat v3:/etc/hosts' })
}

interface Wish {
  readonly id: string
  readonly paths?: readonly string[] | undefined
  readonly keepWorkspace?: boolean | undefined
}

/** Restores, asking first where files of this machine would be replaced. */
export async function restoreTo(command: AmuxCommand, computer: EquippedComputer, { id, paths, keepWorkspace }: Wish): Promise<RestoreResult> {
  const { out, signal } = command
  // Finding out what to ask about takes as long as half the restore.
  if (keepWorkspace !== true && !command.yes) await agree(command, computer, id, paths)
  command.seeThrough()
  const result = await computer.checkpoints.restore(id, { ...(paths && { paths }), ...(keepWorkspace === true && { keepWorkspace }), signal })
  out.data({ ...result, computer: computer.name, provider: computer.provider }, () => tell(computer, result))
  return result
}

async function agree(command: AmuxCommand, computer: EquippedComputer, id: string, paths: readonly string[] | undefined): Promise<void> {
  command.out.progress(`Looking what changed since ${id}`)
  const count = await computer.checkpoints.hostChanges(id, paths)
  if (count === 0) return
  const files = count === 1 ? '1 file of this project' : `${count} files of this project`
  await command.confirm(`${files} on this machine changed since ${id} and will be put back (--keep-workspace leaves the project alone). Restore?`)
}

function tell({ name }: EquippedComputer, { restored, safety, changed }: RestoreResult): string {
  if (changed === 0) return `${name} is as it was at ${restored}: nothing had to be changed`
  const back = safety === undefined ? '' : `\nWhat was before is ${safety}; to go back: amux computer checkpoint restore ${safety}`
  const what = changed === undefined ? '' : `: ${changed} ${changed === 1 ? 'entry' : 'entries'} changed`
  return `${name} is restored to ${restored}${what}${back}`
}
