import { constants } from 'node:fs'
import { copyFile, lchown, lstat, lutimes, mkdir, readdir, readlink, chmod, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { User } from '../users.ts'
import { GuestError } from '../wire.ts'

export interface CopyOptions {
  readonly recursive: boolean
  /** Times and owners too. */
  readonly preserve: boolean
  /** Who gets what is made, unless owners are kept. */
  readonly owner: User | undefined
}

/** To the new path itself, over a file that is there. Links are copied as links. */
export async function copy(from: string, to: string, options: CopyOptions, signal: AbortSignal): Promise<void> {
  const source = await lstat(from)
  if (source.isDirectory() && !options.recursive) throw new GuestError('conflict', `${from} is a directory`, { hint: 'Copy it with all that is in it: recursive.' })
  const inside = relative(from, to)
  if (inside === '' || (source.isDirectory() && !inside.startsWith('..'))) throw new GuestError('invalid_argument', `${from} cannot be copied into itself`)
  const there = await lstat(to).catch(() => undefined)
  if (there?.isDirectory()) throw new GuestError('conflict', `${to} is a directory`)
  if (there && source.isDirectory()) throw new GuestError('conflict', `${to} is no directory`)
  await copyOne(from, to, options, signal)
}

async function copyOne(from: string, to: string, options: CopyOptions, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const source = await lstat(from)
  if (source.isSymbolicLink()) await symlink(await readlink(from), to)
  else if (source.isDirectory()) {
    await mkdir(to, { mode: 0o700 })
    for (const name of await readdir(from)) await copyOne(join(from, name), join(to, name), options, signal)
  } else if (source.isFile()) await copyFile(from, to, constants.COPYFILE_FICLONE)
  else throw new GuestError('conflict', `${from} is neither a file, a directory nor a link`)
  const { owner, preserve } = options
  if (preserve) await lchown(to, source.uid, source.gid)
  else if (owner !== undefined) await lchown(to, owner.uid, owner.gid)
  // After the owner, whose change takes bits away.
  if (!source.isSymbolicLink()) await chmod(to, source.mode & (preserve ? 0o7777 : 0o777))
  if (preserve) await lutimes(to, source.atime, source.mtime)
}
