import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, statSync, type Stats, read } from 'node:fs'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { GuestError } from '../wire.ts'
import { BLOCK, encodeHeader, type Entry, padding } from './header.ts'
import { show } from './read.ts'

/** Without NONBLOCK a pipe that took a file's place would hang the guest. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const SMALL = 64 * 1024
const PIECE = 256 * 1024
const SIZELESS = 64 * 1024 * 1024
const scratch = Buffer.allocUnsafe(SMALL)
const readAsync = promisify(read)

/**
 * A tar stream of what is below `path`, or of the one file it names. Made for a tree in use: what vanishes meanwhile
 * is left out, a file that shrinks while it is read breaks the stream, and nothing is silently padded. Sockets, pipes
 * and devices have no place in an archive and are left out; so are setuid bits, which no receiver accepts.
 */
export async function* pack(path: string): AsyncGenerator<Buffer> {
  const root = Buffer.from(path).toString('latin1')
  const gather = new Gather()
  const links = new Map<string, string>()
  if (statSync(path).isDirectory()) yield* walk(root, '', gather, links)
  else yield* one(root, Buffer.from(basename(path)).toString('latin1'), gather, links)
  gather.add(Buffer.alloc(2 * BLOCK))
  yield gather.take()
}

async function* walk(directory: string, below: string, gather: Gather, links: Map<string, string>): AsyncGenerator<Buffer> {
  const names = tolerate(() => readdirSync(bytes(directory), { encoding: 'latin1' }))
  for (const name of names?.toSorted() ?? []) {
    const path = `${directory}/${name}`
    const stat = lstatSync(bytes(path), { throwIfNoEntry: false })
    if (stat?.isDirectory() !== true) yield* one(path, below + name, gather, links, stat)
    else {
      gather.add(encodeHeader(entry(`${below}${name}/`, 'directory', stat)))
      yield* walk(path, `${below}${name}/`, gather, links)
    }
    if (gather.full) yield gather.take()
  }
}

async function* one(path: string, name: string, gather: Gather, links: Map<string, string>, stat?: Stats): AsyncGenerator<Buffer> {
  const found = stat ?? statSync(bytes(path), { throwIfNoEntry: false })
  if (found?.isSymbolicLink() === true) {
    const target = tolerate(() => readlinkSync(bytes(path), { encoding: 'latin1' }))
    if (target !== undefined) gather.add(encodeHeader(entry(name, 'link', found, target)))
    return
  }
  if (found?.isFile() !== true) return
  const key = `${found.dev}:${found.ino}`
  const earlier = found.nlink > 1 ? links.get(key) : undefined
  if (earlier !== undefined) return gather.add(encodeHeader(entry(name, 'hardlink', found, earlier)))
  const fd = tolerate(() => openSync(bytes(path), stat === undefined ? OPEN & ~constants.O_NOFOLLOW : OPEN))
  if (fd === undefined) return
  try {
    const open = fstatSync(fd)
    if (!open.isFile()) return
    if (found.nlink > 1) links.set(key, name)
    if (open.size <= SMALL) small(fd, name, open, gather)
    else yield* large(fd, name, open, gather)
  } finally {
    closeSync(fd)
  }
}

/** Read before its header is written, so its size is what was read. */
function small(fd: number, name: string, stat: Stats, gather: Gather): void {
  const content = stat.size === 0 ? sizeless(fd) : filled(fd, stat.size)
  gather.add(encodeHeader(entry(name, 'file', stat, '', content.length)))
  gather.add(content)
  gather.add(Buffer.alloc(padding(content.length)))
}

function filled(fd: number, room: number): Buffer {
  const content = Buffer.allocUnsafe(room)
  let size = 0
  for (let got = -1; got !== 0 && size < room; size += got) got = readSync(fd, content, size, room - size, size)
  return content.subarray(0, size)
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

async function* large(fd: number, name: string, stat: Stats, gather: Gather): AsyncGenerator<Buffer> {
  gather.add(encodeHeader(entry(name, 'file', stat, '', stat.size)))
  yield gather.take()
  for (let at = 0; at < stat.size; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, stat.size - at))
    const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, at)
    if (bytesRead === 0) throw new GuestError('failed', `${show(name)} became shorter while it was read`)
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
  gather.add(Buffer.alloc(padding(stat.size)))
}

function entry(name: string, type: Entry['type'], stat: Stats, target = '', size = 0): Entry {
  return { name, type, size, mode: stat.mode & 0o777, mtime: Math.floor(stat.mtimeMs) / 1000, target }
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

/** Joins the many small pieces of a tar stream into few large ones. */
class Gather {
  #pieces: Buffer[] = []
  #size = 0

  get full(): boolean {
    return this.#size >= PIECE
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.#size += piece.length
  }

  take(): Buffer {
    const all = this.#pieces.length === 1 && this.#pieces[0] !== undefined ? this.#pieces[0] : Buffer.concat(this.#pieces, this.#size)
    this.#pieces = []
    this.#size = 0
    return all
  }
}
