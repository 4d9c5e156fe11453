import { randomBytes } from 'node:crypto'
import { type FileHandle, copyFile, lstat, open, readlink, rename, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { User } from '../users.ts'
import { GuestError, toGuestError } from '../wire.ts'
import { makeAll } from './path.ts'

export interface WriteFacts {
  readonly owner: User | undefined
  /** The caller named the owner: an existing file changes hands too. */
  readonly chosen: boolean
  /** A new file gets 644 without one; an existing file keeps its own. */
  readonly mode: number | undefined
  readonly parents: boolean
}

/** Replaces a file whole: the old one stays until the last byte is safe on the disk. */
export async function writeWhole(path: string, source: AsyncIterable<Uint8Array>, facts: WriteFacts): Promise<void> {
  const target = await behindLinks(path)
  const existing = await lstat(target).catch(() => undefined)
  if (existing?.isDirectory() === true) throw new GuestError('conflict', `${path} is a directory`)
  if (existing !== undefined && !existing.isFile()) throw new GuestError('conflict', `${path} is no regular file`)
  if (facts.parents) await makeAll(dirname(target), facts.owner)
  const temporary = join(dirname(target), `.amux-${randomBytes(8).toString('hex')}`)
  const file = await open(temporary, 'wx', 0o600).catch((error: unknown) => {
    // Its user knows the file by its own name only.
    throw error instanceof Error ? Object.assign(error, { path: target }) : error
  })
  try {
    try {
      await fill(file, source)
      const owner = facts.chosen ? facts.owner : (existing ?? facts.owner)
      if (owner !== undefined && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid)
      await file.chmod(facts.mode ?? (existing === undefined ? 0o644 : existing.mode & 0o7777))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target).catch((error: unknown) => intoMount(error, temporary, target))
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  // The file is in place by now, so a directory that cannot be opened is no reason to report a failure.
  await syncDirectory(dirname(target)).catch(() => undefined)
}

async function fill(file: FileHandle, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of source) {
    for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten
  }
}

/** Writing to a link writes to what it names, as every program does; the link stays. */
async function behindLinks(path: string): Promise<string> {
  let target = path
  for (let hops = 0; hops < 40; hops++) {
    const found = await lstat(target).catch(() => undefined)
    if (found?.isSymbolicLink() !== true) return target
    target = resolve(dirname(target), await readlink(target))
  }
  throw new GuestError('conflict', `${path} is a link that leads to itself`)
}

/** A file that is itself a mount (/etc/hosts in a container) cannot be replaced, only overwritten. */
async function intoMount(error: unknown, temporary: string, target: string): Promise<void> {
  if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) throw toGuestError(error)
  await copyFile(temporary, target)
  await unlink(temporary)
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
