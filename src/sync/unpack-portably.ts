import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, constants, futimesSync, linkSync, lstatSync, lutimesSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import type { ByteSource } from '../contract/index.ts'
import { fail, normalise } from '../errors/index.ts'
import { type Entry, TarReader, utf8, writeBody } from '../tar/index.ts'
import { isCode, Place } from './place.ts'
import type { UnpackOptions } from './unpack.ts'

const UNREADABLE = 'its name is no UTF-8'
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** `unpack` where its program cannot run, and of a single file. */
export async function unpackPortably(root: string, tar: ByteSource, { only, signal, onSkipped }: UnpackOptions): Promise<void> {
  const reader = new TarReader(tar)
  const target = new Target(root)
  const directories = new Map<string, Entry>()
  let count = 0
  try {
    for (let entry = await next(reader); entry !== undefined; entry = await next(reader)) {
      signal?.throwIfAborted()
      try {
        if (only !== undefined && (entry.type === 'directory' || count++ > 0)) throw fail('corrupt', 'a single file was expected')
        if (only === undefined && !isText(entry.name) && onSkipped) {
          onSkipped(utf8(entry.name), UNREADABLE)
          while ((await reader.body()) !== undefined) signal?.throwIfAborted()
          continue
        }
        const names = only === undefined ? namesOf(entry.name) : [only]
        // Of one that is said twice the last word counts.
        if (entry.type === 'directory') directories.set(names.join('/'), entry)
        await target.put(names, entry, reader)
      } catch (error) {
        throw at(entry, error)
      }
    }
    for (const [path, entry] of [...directories].toSorted(([one], [other]) => (one < other ? 1 : -1))) target.finish(path === '' ? [] : path.split('/'), entry)
  } finally {
    target.close()
    await reader.leave()
  }
}

function next(reader: TarReader): Promise<Entry | undefined> {
  return reader.next().catch((error: unknown) => {
    throw normalise(error)
  })
}

class Target {
  readonly #place: Place
  /** Where hard links lead: beside the other, which is left where it is. */
  readonly #linked: Place
  readonly #token = randomBytes(6).toString('hex')
  #drafts = 0

  constructor(root: string) {
    this.#place = Place.open(root, (path) => mkdirSync(path, { mode: 0o755 }))
    this.#linked = Place.open(this.#place.root)
  }

  close(): void {
    this.#place.close()
    this.#linked.close()
  }

  async put(names: readonly string[], entry: Entry, reader: TarReader): Promise<void> {
    if (entry.type === 'directory') return void this.#place.enter(names)
    const last = names.at(-1)
    if (last === undefined) throw fail('corrupt', 'it has no name')
    const directory = this.#place.enter(names.slice(0, -1))
    const path = `${directory}/${last}`
    // Where all is ours nothing needs to be spared, and a directory cannot be replaced by a file.
    const fresh = this.#place.made && entry.type === 'file' ? createFirst(path, entry) : undefined
    const draft = fresh === undefined ? `${directory}/.amux-${this.#token}${this.#drafts++}` : path
    try {
      if (entry.type === 'file') await fill(fresh ?? create(draft, entry), entry, reader)
      else if (entry.type === 'hardlink') linkSync(this.#existing(entry), draft)
      else {
        if (entry.target === '') throw fail('corrupt', 'it is a link to nothing')
        symlinkSync(utf8(entry.target), draft)
        lutimesSync(draft, dateOf(entry), dateOf(entry))
      }
      if (!this.#place.made) spare(path)
      if (draft !== path) renameSync(draft, path)
      // Where both are names of one file nothing is renamed.
      if (entry.type === 'hardlink') rmSync(draft, { force: true })
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
  }

  /** A directory may be closed to writing: only once everything is in it. */
  finish(names: readonly string[], entry: Entry): void {
    if (names.length === 0) return
    chmodSync(`${this.#place.enter(names)}/.`, entry.mode & 0o777 & ~process.umask())
  }

  /** A file that is below the root, and no link itself. */
  #existing({ target }: Entry): string {
    const names = namesOf(target)
    try {
      const path = `${this.#linked.enter(names.slice(0, -1))}/${names.at(-1) ?? ''}`
      if (lstatSync(path).isFile()) return path
    } catch (cause) {
      throw fail('corrupt', 'it is a hard link to something that is not in the archive', { cause })
    }
    throw fail('corrupt', 'it is a hard link to something that is no file')
  }
}

function create(path: string, { mode }: Entry): number {
  if ((mode & 0o6000) !== 0) throw fail('corrupt', 'it would run with the rights of its owner (setuid or setgid)')
  return openSync(path, CREATE, mode & 0o777)
}

/** Undefined where something is already. */
function createFirst(path: string, entry: Entry): number | undefined {
  try {
    return create(path, entry)
  } catch (error) {
    if (isCode(error, 'EEXIST')) return undefined
    throw error
  }
}

async function fill(file: number, entry: Entry, reader: TarReader): Promise<void> {
  try {
    await writeBody(reader, entry, file)
    futimesSync(file, dateOf(entry), dateOf(entry))
  } finally {
    closeSync(file)
  }
}

/** Of a number before 1970 Node makes now. */
function dateOf({ mtime }: Entry): Date {
  return new Date(mtime * 1000)
}

function spare(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw fail('conflict', 'a directory is in its place')
  if (there && !there.isFile() && !there.isSymbolicLink()) throw fail('conflict', 'a device or a pipe is in its place')
}

/** Others would be given a name that several of them may have. */
function isText(bytes: string): boolean {
  return isUtf8(Buffer.from(bytes, 'latin1'))
}

function namesOf(bytes: string): string[] {
  const name = utf8(bytes)
  if (!isText(bytes)) throw fail('unsupported', UNREADABLE)
  if (name.startsWith('/')) throw fail('corrupt', `refused ${JSON.stringify(name)}: its name is absolute`)
  const names = name.split('/').filter((part) => part !== '' && part !== '.')
  if (names.includes('..') || name.includes('\0')) throw fail('corrupt', `refused ${JSON.stringify(name)}: its name leads elsewhere`)
  return names
}

function at(entry: Entry, error: unknown): Error {
  const { code, message, hint } = normalise(error)
  // The system names files by the descriptor of their directory, which says nothing to people.
  const words = message.replace(/, \w+ '\/proc\/self\/fd\/.*$/su, '')
  return fail(code, `unpacking stopped at ${JSON.stringify(utf8(entry.name))}: ${words}`, { cause: error, hint })
}
