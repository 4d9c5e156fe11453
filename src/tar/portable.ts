import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, statSync, type Stats, read } from 'node:fs'
import { promisify } from 'node:util'
import type { Entry } from './header.ts'
import { show } from './read.ts'
import { SMALL, Tape } from './tape.ts'

/** Without NONBLOCK a pipe that took a file's place would hang whoever packs. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const PIECE = 256 * 1024
const SIZELESS = 64 * 1024 * 1024
const scratch = Buffer.allocUnsafe(SMALL)
const readAsync = promisify(read)

/** Paths and names are latin1 (see `Entry`). */
export interface Root {
  readonly path: string
  /** In the archive; of a directory, empty stands for what is in it. */
  readonly name: string
  /** A link that is named itself gives what it leads to. */
  readonly follow?: boolean
}

export interface PackOptions {
  /** Times without their fractions, which cost each file a header more. */
  readonly wholeSeconds?: boolean
  /** Told what has no place in an archive, and what it is. */
  onSkipped?(name: string, what: string): void
}

interface Found {
  readonly path: string
  readonly name: string
  /** Absent of a file in a directory: it is looked at once it is open. */
  readonly stat?: Stats
  readonly follow: boolean
}

interface Opened {
  readonly fd: number
  readonly entry: Entry
}

/**
 * `pack` where its program cannot run. Small files are read without waiting in between: a trip through the thread pool
 * takes longer than the reading.
 */
export async function* packPortably(roots: Iterable<Root>, options: PackOptions = {}): AsyncGenerator<Buffer, void> {
  const tape = new Tape()
  const writer = new Writer(tape, options)
  for (const { path, name, follow = false } of roots) {
    const stat = (follow ? statSync : lstatSync)(bytes(path))
    for (const found of walk({ path, name, stat, follow })) {
      const large = writer.add(found)
      if (large !== undefined) yield* pour(large, tape)
      if (tape.full) yield tape.take()
    }
  }
  tape.end()
  yield tape.take()
}

function* walk(found: Found): Generator<Found, void> {
  if (found.stat?.isDirectory() !== true) return yield found
  const below = found.name === '' ? '' : `${found.name}/`
  if (below !== '') yield { ...found, name: below }
  for (const { name, isFile } of (tolerate(() => list(bytes(found.path))) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${found.path}/${name}`
    const one = { path, name: below + name, follow: false }
    if (isFile) {
      yield one
      continue
    }
    const stat = lstatSync(bytes(path), { throwIfNoEntry: false })
    if (stat !== undefined) yield* walk({ ...one, stat })
  }
}

/** `isFile`: as far as the directory says it. */
function list(directory: Buffer): readonly { readonly name: string; readonly isFile: boolean }[] {
  try {
    return readdirSync(directory, { encoding: 'latin1', withFileTypes: true }).map((entry) => ({ name: entry.name, isFile: entry.isFile() }))
  } catch (error) {
    // A file system that does not say it has Node look, which for names that are bytes it cannot.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_ARG_TYPE')) throw error
    return readdirSync(directory, { encoding: 'latin1' }).map((name) => ({ name, isFile: false }))
  }
}

/** In words, what can be in no archive. */
export function kindOf(stat: Stats): string | undefined {
  if (stat.isFIFO()) return 'a named pipe'
  if (stat.isSocket()) return 'a socket'
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : undefined
}

class Writer {
  readonly #tape: Tape
  readonly #options: PackOptions
  /** By device and inode, the first name of files that have several. */
  readonly #names = new Map<string, string>()

  constructor(tape: Tape, options: PackOptions) {
    this.#tape = tape
    this.#options = options
  }

  /** Puts it on the tape, but for the content of a large file: that is returned. */
  add({ path, name, stat, follow }: Found): Opened | undefined {
    if (stat?.isDirectory()) return void this.#tape.header(this.#entry(name, 'directory', stat))
    if (stat?.isSymbolicLink()) {
      const target = tolerate(() => readlinkSync(bytes(path), { encoding: 'latin1' }))
      return target === undefined ? undefined : void this.#tape.header(this.#entry(name, 'link', stat, target))
    }
    if (stat && !stat.isFile()) return void this.#options.onSkipped?.(name, kindOf(stat) ?? 'no file')
    const fd = tolerate(() => openSync(bytes(path), follow ? OPEN & ~constants.O_NOFOLLOW : OPEN))
    if (fd === undefined) return undefined
    let large = false
    try {
      const open = fstatSync(fd)
      if (!open.isFile()) return undefined
      const key = open.nlink > 1 ? `${open.dev}:${open.ino}` : undefined
      const earlier = key === undefined ? undefined : this.#names.get(key)
      if (earlier !== undefined) return void this.#tape.header(this.#entry(name, 'hardlink', open, earlier))
      if (key !== undefined) this.#names.set(key, name)
      large = open.size > SMALL
      if (large) return { fd, entry: this.#entry(name, 'file', open, '', open.size) }
      this.#small(fd, name, open)
      return undefined
    } finally {
      if (!large) closeSync(fd)
    }
  }

  /** Read before its header is written, so its size is what was read. */
  #small(fd: number, name: string, stat: Stats): void {
    if (stat.size === 0) {
      const content = sizeless(fd)
      this.#tape.header(this.#entry(name, 'file', stat, '', content.length))
      return this.#tape.content(content, content.length)
    }
    let size = 0
    for (let got = -1; got !== 0 && size < stat.size; size += got) got = readSync(fd, scratch, size, stat.size - size, size)
    this.#tape.header(this.#entry(name, 'file', stat, '', size))
    this.#tape.content(scratch, size)
  }

  #entry(name: string, type: Entry['type'], stat: Stats, target = '', size = 0): Entry {
    const mtime = this.#options.wholeSeconds === true ? Math.floor(stat.mtimeMs / 1000) : Math.floor(stat.mtimeMs) / 1000
    return { name, type, size, mode: stat.mode & 0o777, mtime, target }
  }
}

async function* pour({ fd, entry }: Opened, tape: Tape): AsyncGenerator<Buffer, void> {
  try {
    tape.header(entry)
    yield tape.take()
    for (let at = 0; at < entry.size; ) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, entry.size - at))
      const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, at)
      if (bytesRead === 0) throw new Error(`${show(entry.name)} became shorter while it was read`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
    tape.pad(entry.size)
  } finally {
    closeSync(fd)
  }
}

/** Files below /proc have no size until they are read. What of them cannot be read has nothing to give, as on any look. */
function sizeless(fd: number): Buffer {
  const pieces: Buffer[] = []
  try {
    for (let size = 0, got = -1; got !== 0 && size < SIZELESS; size += got) {
      got = readSync(fd, scratch, 0, SMALL, size)
      if (got > 0) pieces.push(Buffer.from(scratch.subarray(0, got)))
    }
  } catch {
    // EIO, EINVAL, EPERM: it is no file that anybody reads.
  }
  return Buffer.concat(pieces)
}

/** What vanished between being listed and being read is no failure. */
function tolerate<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP' || error.code === 'ENXIO')) return undefined
    throw error
  }
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}
