import { TarError } from './error.ts'
import { BLOCK, decodeHeader, type Entry, padding, type RawHeader, utf8 } from './header.ts'
import { Pull } from './pull.ts'

const META_MAX = 1024 * 1024
/** As far as a `Date` goes, in seconds. */
const TIME_MAX = 8.64e12
type Pax = Map<string, string>

/** Reads a tar stream (ustar, pax, GNU long names) entry by entry. `body` must be read to its end before `next`. */
export class TarReader {
  readonly #pull: Pull
  readonly #global: Pax = new Map()
  #left = 0
  #pad = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pull = new Pull(source)
  }

  /** `undefined` at the end-of-archive mark; what follows it is read and ignored. */
  async next(): Promise<Entry | undefined> {
    const own: Pax = new Map()
    for (;;) {
      const raw = decodeHeader(await this.#pull.exact(BLOCK))
      if (raw === undefined) {
        await this.#pull.drain()
        return undefined
      }
      if (!(await this.#meta(raw, own))) return this.#entry(raw, this.#global.size === 0 ? own : new Map([...this.#global, ...own]))
    }
  }

  /** The next piece of the current entry's content, `undefined` at its end. */
  async body(): Promise<Buffer | undefined> {
    if (this.#left === 0) {
      if (this.#pad > 0) await this.#pull.exact(this.#pad)
      this.#pad = 0
      return undefined
    }
    const piece = await this.#pull.some(this.#left)
    this.#left -= piece.length
    return piece
  }

  /** Takes in what only describes the next entry; false when `raw` is an entry itself. */
  async #meta(raw: RawHeader, own: Pax): Promise<boolean> {
    if (!'xXgLKV'.includes(raw.flag)) return false
    if (raw.size < 0 || raw.size > META_MAX) throw new TarError('the archive has an extended header that is too large')
    const body = (await this.#pull.exact(raw.size + padding(raw.size))).toString('latin1', 0, raw.size)
    if (raw.flag === 'L') own.set('path', untilZero(body))
    else if (raw.flag === 'K') own.set('linkpath', untilZero(body))
    else if (raw.flag !== 'V') readRecords(body, raw.flag === 'g' ? this.#global : own)
    return true
  }

  /** For whoever stops early. */
  leave(): Promise<void> {
    return this.#pull.leave()
  }

  #entry(raw: RawHeader, pax: Pax): Entry {
    const name = pax.get('path') ?? raw.name
    const type = typeOf(raw.flag, name)
    if (type === undefined || (pax.size > 0 && [...pax.keys()].some((key) => key.startsWith('GNU.sparse.')))) throw refused(name, raw.flag)
    const size = type === 'file' ? Number(pax.get('size') ?? raw.size) : 0
    if (!Number.isSafeInteger(size) || size < 0) throw new TarError(`the archive gives ${show(name)} an impossible size`)
    this.#left = size
    this.#pad = padding(size)
    const mtime = Number(pax.get('mtime') ?? raw.mtime)
    return { name, type, size, mode: raw.mode, mtime: Math.abs(mtime) <= TIME_MAX ? mtime : 0, target: pax.get('linkpath') ?? raw.target }
  }
}

function typeOf(flag: string, name: string): Entry['type'] | undefined {
  if (flag === '0' || flag === '\0' || flag === '7') return name.endsWith('/') ? 'directory' : 'file'
  if (flag === '1') return 'hardlink'
  if (flag === '2') return 'link'
  return flag === '5' ? 'directory' : undefined
}

function refused(name: string, flag: string): TarError {
  const what = { '3': 'a character device', '4': 'a block device', '6': 'a named pipe' }[flag]
  return what === undefined
    ? new TarError(`the archive stores ${show(name)} in a form that amux does not unpack (a sparse file?)`, 'ERR_TAR_FORM')
    : new TarError(`the archive contains ${what}: ${show(name)}`)
}

function readRecords(body: string, into: Pax): void {
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(' ', at)
    const length = space === -1 ? Number.NaN : Number(body.slice(at, space))
    const equals = body.indexOf('=', space)
    const end = at + length
    if (!(length > 0) || equals === -1 || equals >= end || body[end - 1] !== '\n') throw new TarError('the archive has a damaged extended header')
    into.set(body.slice(space + 1, equals), body.slice(equals + 1, end - 1))
    at = end
  }
}

function untilZero(text: string): string {
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}

/** A name from an archive, fit for a message. */
export function show(name: string): string {
  return JSON.stringify(utf8(name))
}
