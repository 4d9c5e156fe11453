import { chmod, chown, lchown, lstat, mkdir, readdir, readlink, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileStat } from '../../contract/index.ts'
import type { User } from '../users.ts'
import { GuestError } from '../wire.ts'
import { makeAll } from './path.ts'

export async function statOf(path: string): Promise<FileStat> {
  const found = await lstat(path)
  const link = found.isSymbolicLink()
  const type = link ? 'link' : found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other'
  return {
    path,
    type,
    size: found.size,
    mode: found.mode & 0o7777,
    uid: found.uid,
    gid: found.gid,
    mtime: Math.floor(found.mtimeMs),
    ...(link && (await targetOf(path))),
  }
}

/** Of a program that is another's (/proc/PID/cwd) it may not be known. */
async function targetOf(path: string): Promise<{ readonly target?: string }> {
  try {
    return { target: await readlink(path) }
  } catch (error) {
    if (hasCode(error, 'EACCES')) return {}
    throw error
  }
}

/** What vanishes while it is listed is left out. */
export async function listOf(path: string): Promise<FileStat[]> {
  const names = (await readdir(path)).toSorted()
  const base = path === '/' ? '' : path
  const entries: FileStat[] = []
  for (let at = 0; at < names.length; at += 64) {
    const some = await Promise.all(names.slice(at, at + 64).map((name) => statOf(`${base}/${name}`).catch(unlessGone)))
    entries.push(...some.filter((entry) => entry !== undefined))
  }
  return entries
}

function unlessGone(error: unknown): undefined {
  if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined
  throw error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

export async function makeDirectory(path: string, owner: User | undefined, options: { parents: boolean; mode: number | undefined }): Promise<void> {
  if (options.parents) {
    const before = await lstat(path).catch(() => undefined)
    await makeAll(path, owner)
    if (before !== undefined) return
  } else {
    await mkdir(path, 0o755)
    if (owner !== undefined) await chown(path, owner.uid, owner.gid)
  }
  if (options.mode !== undefined) await chmod(path, options.mode)
}

export async function move(from: string, to: string): Promise<void> {
  await rename(from, to)
}

/** Links are left as they are: changing one would change what it leads to. */
export async function changeMode(path: string, mode: number, recursive: boolean): Promise<void> {
  if (!recursive) return chmod(path, mode)
  for await (const { path: each, link } of below(path)) if (!link) await chmod(each, mode)
}

export async function changeOwner(path: string, owner: Pick<User, 'uid' | 'gid'>, recursive: boolean): Promise<void> {
  if (!recursive) return give(path, owner)
  for await (const { path: each } of below(path)) await give(each, owner)
}

/** A user namespace that has no such id answers EINVAL: nobody there may give files to it. */
async function give(path: string, { uid, gid }: Pick<User, 'uid' | 'gid'>): Promise<void> {
  try {
    await lchown(path, uid, gid)
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error
    throw new GuestError('permission_denied', `${path} cannot belong to ${uid}:${gid}: this computer has no such user or group`, { cause: error })
  }
}

/** It and everything below it; a directory comes after what is in it, which may be out of reach afterwards. */
async function* below(path: string): AsyncGenerator<{ readonly path: string; readonly link: boolean }> {
  const found = await lstat(path)
  if (found.isDirectory()) for (const name of await readdir(path)) yield* below(join(path, name))
  yield { path, link: found.isSymbolicLink() }
}

export async function remove(path: string, recursive: boolean): Promise<void> {
  if (path === '/') throw new GuestError('invalid_argument', 'the root directory cannot be removed')
  const found = await lstat(path)
  if (!found.isDirectory()) await unlink(path)
  else if (recursive) await rm(path, { recursive: true, maxRetries: 2 })
  else await rmdir(path)
}
