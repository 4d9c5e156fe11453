import { randomBytes } from 'node:crypto'
import { closeSync, constants, futimesSync, lstatSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { chmod, link, lstat, lutimes, mkdir, rm, symlink } from 'node:fs/promises'
import type { ByteSource } from '../contract/index.ts'
import { fail, normalise } from '../errors/index.ts'
import { Place } from './place.ts'
import { type Entry, entries } from './untar.ts'

export interface UnpackOptions {
  /** The one entry there may be, under this name: for a single file. */
  readonly only?: string
  readonly signal?: AbortSignal
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/**
 * Unpacks what a computer sent below `root`, an existing directory. Nothing of it is trusted: no link is followed, and
 * absolute names, `..`, devices and setuid bits are refused. Stops at the first entry that is refused; what was
 * unpacked stays. Each file appears whole.
 */
export async function unpack(root: string, tar: ByteSource, options: UnpackOptions = {}): Promise<void> {
  const place = await Place.open(root, (path) => mkdir(path, { mode: 0o755 }))
  const directories: Entry[] = []
  let count = 0
  try {
    for await (const entry of entries(tar, options.signal)) {
      if (options.only !== undefined && (entry.type === 'directory' || count++ > 0)) throw at(entry, fail('corrupt', 'a single file was expected'))
      const names = options.only === undefined ? namesOf(entry) : [options.only]
      if (entry.type === 'directory') directories.push({ ...entry, name: names.join('/') })
      await put(place, names, entry).catch((error: unknown) => {
        throw at(entry, error)
      })
    }
    for (const entry of directories.toReversed()) await finish(place, entry)
  } finally {
    await place.close()
  }
}

async function put(place: Place, names: readonly string[], entry: Entry): Promise<void> {
  if (entry.type === 'directory') {
    await place.enter(names)
    return
  }
  const last = names.at(-1)
  if (last === undefined) throw fail('corrupt', 'it has no name')
  const directory = await place.enter(names.slice(0, -1))
  const draft = `${directory}/.amux-${randomBytes(6).toString('hex')}`
  try {
    await make(place, names, draft, entry)
    replace(draft, `${directory}/${last}`)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

async function make(place: Place, names: readonly string[], draft: string, entry: Entry): Promise<void> {
  if (entry.type === 'file') return writeFile(draft, entry)
  if (entry.type === 'link') {
    await symlink(entry.target, draft)
    return lutimes(draft, entry.mtime, entry.mtime)
  }
  // A hard link: to a file that is below the root, and no link itself.
  const target = namesOf({ ...entry, name: entry.target })
  const from = await Place.open(await place.enter([]))
  try {
    const source = `${await from.enter(target.slice(0, -1)).catch(outside)}/${target.at(-1) ?? ''}`
    if (!(await lstat(source).catch(outside)).isFile()) throw fail('corrupt', 'it is a hard link to something that is no file')
    const directory = await place.enter(names.slice(0, -1))
    await link(source, `${directory}/${draft.slice(draft.lastIndexOf('/') + 1)}`)
  } finally {
    await from.close()
  }
}

function outside(): never {
  throw fail('corrupt', 'it is a hard link to something that is not in the archive')
}

/** Each step waits for the disk: most files are small, and a trip through the thread pool takes longer than that. */
async function writeFile(path: string, entry: Entry): Promise<void> {
  const file = openSync(path, CREATE, entry.mode & 0o777)
  try {
    let size = 0
    for await (const chunk of entry.body) {
      writeFileSync(file, chunk)
      size += chunk.length
    }
    if (size !== entry.size) throw fail('corrupt', 'the archive ends early')
    futimesSync(file, entry.mtime, entry.mtime)
  } finally {
    closeSync(file)
  }
}

function replace(draft: string, path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw fail('conflict', 'a directory is in its place')
  if (there && !there.isFile() && !there.isSymbolicLink()) throw fail('conflict', 'a device or a pipe is in its place')
  renameSync(draft, path)
}

/** A directory may be closed to writing: only once everything is in it. */
async function finish(place: Place, entry: Entry): Promise<void> {
  const names = namesOf(entry)
  if (names.length === 0) return
  const path = await place.enter(names)
  await chmod(`${path}/.`, entry.mode & 0o777 & ~process.umask())
}

function namesOf({ name }: Entry): string[] {
  if (name.startsWith('/')) throw fail('corrupt', `refused ${JSON.stringify(name)}: its name is absolute`)
  const names = name.split('/').filter((part) => part !== '' && part !== '.')
  if (names.includes('..') || name.includes('\0')) throw fail('corrupt', `refused ${JSON.stringify(name)}: its name leads elsewhere`)
  return names
}

function at(entry: Entry, error: unknown): Error {
  const { code, message, hint } = normalise(error)
  // The system names files by the descriptor of their directory, which says nothing to people.
  const words = message.replace(/, \w+ '\/proc\/self\/fd\/.*$/su, '')
  return fail(code, `unpacking stopped at ${JSON.stringify(entry.name)}: ${words}`, { cause: error, hint })
}
