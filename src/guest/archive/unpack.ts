import { closeSync, constants, fchmodSync, fchownSync, futimesSync, linkSync, lchownSync, lutimesSync, openSync, symlinkSync, unlinkSync, utimesSync, chmodSync } from 'node:fs'
import type { User } from '../users.ts'
import { GuestError, toGuestError } from '../wire.ts'
import { type Entry, show, TarReader, writeBody } from '../../tar/index.ts'
import { Tree } from './tree.ts'

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/**
 * Unpacks below `root`. Stops at the first entry that is refused or fails: what was unpacked stays, and the error says
 * where it stopped. Directories get their mode and time last, when nothing is written into them any more.
 */
export async function unpack(root: string, source: AsyncIterable<Uint8Array>, owner: User | undefined): Promise<void> {
  const tree = new Tree(root, owner)
  const reader = new TarReader(source)
  const directories = new Map<string, Entry>()
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    try {
      const path = tree.locate(entry)
      if (entry.type === 'directory') directories.set(path, entry)
      else await place(tree, path, entry, reader)
    } catch (error) {
      throw at(entry, error)
    }
  }
  for (const [path, entry] of [...directories].toReversed()) {
    try {
      finish(tree, path, entry)
    } catch (error) {
      throw at(entry, error)
    }
  }
}

async function place(tree: Tree, path: string, entry: Entry, reader: TarReader): Promise<void> {
  const file = bytes(path)
  if (entry.type === 'file') return writeFile(file, create(tree, path, file, entry), entry, reader, tree.owner)
  tree.clear(path)
  if (entry.type === 'link') {
    if (entry.target === '') throw new GuestError('invalid_argument', 'it is a link to nothing')
    symlinkSync(bytes(entry.target), file)
    if (tree.owner !== undefined) lchownSync(file, tree.owner.uid, tree.owner.gid)
    lutimesSync(file, entry.mtime, entry.mtime)
  } else linkSync(bytes(tree.existing(entry.target)), file)
}

/** Most are new: what is in the way is looked for only where something is. */
function create(tree: Tree, path: string, file: Buffer, entry: Entry): number {
  if ((entry.mode & 0o6000) !== 0) throw new GuestError('invalid_argument', 'it would run with the rights of its owner (setuid or setgid)')
  try {
    return openSync(file, CREATE, 0o600)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    tree.clear(path)
    return openSync(file, CREATE, 0o600)
  }
}

async function writeFile(file: Buffer, fd: number, entry: Entry, reader: TarReader, owner: User | undefined): Promise<void> {
  try {
    await writeBody(reader, entry, fd)
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, entry.mode & 0o777)
    futimesSync(fd, entry.mtime, entry.mtime)
  } catch (error) {
    unlinkSync(file)
    throw error
  } finally {
    closeSync(fd)
  }
}

function finish(tree: Tree, path: string, entry: Entry): void {
  // The root's own entry describes the sender's directory; the caller's one keeps what it has.
  if (path === tree.root) return
  chmodSync(bytes(path), entry.mode & 0o777)
  utimesSync(bytes(path), entry.mtime, entry.mtime)
}

function at(entry: Entry, error: unknown): GuestError {
  const { code, message } = toGuestError(error)
  return new GuestError(code, `unpacking stopped at ${show(entry.name)}: ${message}`, { cause: error })
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}
