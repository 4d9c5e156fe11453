import { TarError } from './error.ts'

/** Names and link targets hold one byte per character (latin1): a file name is bytes, not always UTF-8. */
export interface Entry {
  readonly name: string
  readonly type: 'file' | 'directory' | 'link' | 'hardlink'
  readonly size: number
  readonly mode: number
  /** Seconds, to the millisecond. */
  readonly mtime: number
  readonly target: string
}

export const BLOCK = 512
const OCTAL_11 = 0o77777777777
const flags = { file: '0', hardlink: '1', link: '2', directory: '5' } as const

/** The most that a header takes beside the name and the target in it. */
export const HEADER_MAX = 4 * BLOCK

/** Writes the header of one entry, preceded by a pax header where the old format is too narrow. Returns where it ends. */
export function writeHeader(out: Buffer, at: number, entry: Entry): number {
  const records = recordsOf(entry)
  if (records === '') return block(out, at, entry, flags[entry.type])
  const body = block(out, at, { ...entry, name: 'pax', target: '', size: records.length, mode: 0o644 }, 'x')
  out.write(records, body, 'latin1')
  const end = body + records.length
  const main = end + padding(records.length)
  out.fill(0, end, main)
  return block(out, main, entry, flags[entry.type])
}

function recordsOf({ name, target, size, mtime }: Entry): string {
  let records = ''
  if (name.length > 100 || !ascii(name)) records += record('path', name)
  if (target.length > 100 || !ascii(target)) records += record('linkpath', target)
  if (size > OCTAL_11) records += record('size', String(size))
  if (mtime < 0 || !Number.isInteger(mtime)) records += record('mtime', mtime.toFixed(3))
  return records
}

export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

/** What is the same in all headers: a copy of it is cheaper than writing it each time. */
const plain = Buffer.alloc(BLOCK)
plain.write('ustar\x0000', 257, 'latin1')
octal(plain, 108, 7, 0)
octal(plain, 116, 7, 0)

function block(out: Buffer, at: number, entry: Entry, flag: string): number {
  plain.copy(out, at)
  out.write(entry.name.slice(0, 100), at, 'latin1')
  octal(out, at + 100, 7, entry.mode & 0o7777)
  octal(out, at + 124, 11, Math.min(entry.size, OCTAL_11))
  octal(out, at + 136, 11, Math.min(Math.max(0, Math.floor(entry.mtime)), OCTAL_11))
  out.write(flag, at + 156, 'latin1')
  out.write(entry.target.slice(0, 100), at + 157, 'latin1')
  octal(out, at + 148, 6, checksum(out, at))
  out[at + 155] = 0x20
  return at + BLOCK
}

function octal(out: Buffer, offset: number, digits: number, value: number): void {
  let left = value
  for (let at = offset + digits - 1; at >= offset; at--) {
    out[at] = 0x30 + (left % 8)
    left = Math.floor(left / 8)
  }
}

/** As if the place of the checksum itself held spaces. */
function checksum(header: Buffer, from: number): number {
  let sum = 8 * 0x20
  for (let at = from; at < from + 148; at++) sum += header[at] ?? 0
  for (let at = from + 156; at < from + BLOCK; at++) sum += header[at] ?? 0
  return sum
}

/** A record begins with its own length, the digits of that length included. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length
  return `${length}${rest}`
}

function ascii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7e) return false
  return true
}

export interface RawHeader {
  readonly name: string
  readonly flag: string
  readonly size: number
  readonly mode: number
  readonly mtime: number
  readonly target: string
}

/** `undefined` for a block of zeros, which ends an archive. */
export function decodeHeader(header: Buffer): RawHeader | undefined {
  if (header[0] === 0 && header.every((byte) => byte === 0)) return undefined
  if (number(header, 148, 8) !== checksum(header, 0)) throw new TarError('this is no tar archive, or it is damaged (checksum)')
  const posix = header.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = posix ? text(header, 345, 155) : ''
  const name = text(header, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    flag: String.fromCharCode(header[156] ?? 0),
    size: number(header, 124, 12),
    mode: number(header, 100, 8),
    mtime: number(header, 136, 12),
    target: text(header, 157, 100),
  }
}

function text(from: Buffer, offset: number, length: number): string {
  const end = from.indexOf(0, offset)
  return from.toString('latin1', offset, end === -1 ? offset + length : Math.min(end, offset + length))
}

/** Octal text, or, for what does not fit, a big-endian number after a byte with its top bit set. */
function number(from: Buffer, offset: number, length: number): number {
  const first = from[offset] ?? 0
  const end = offset + length
  let value = 0
  if ((first & 0x80) === 0) {
    let at = afterSpaces(from, offset, end)
    for (let digit = 0; at < end; at++, value = value * 8 + digit) {
      digit = (from[at] ?? 0) - 0x30
      if (digit < 0 || digit > 7) break
    }
    at = afterSpaces(from, at, end)
    if (at < end && from[at] !== 0) throw new TarError('this is no tar archive, or it is damaged (number)')
    return value
  }
  value = first === 0xff ? -1 : first & 0x7f
  for (let at = offset + 1; at < end; at++) value = value * 256 + (from[at] ?? 0)
  return value
}

function afterSpaces(from: Buffer, offset: number, end: number): number {
  let at = offset
  while (at < end && from[at] === 0x20) at++
  return at
}

/** A path or a name as `Entry` has it. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** A path or a name from an `Entry`. Bytes that are no text become question marks of a kind. */
export function utf8(name: string): string {
  return Buffer.from(name, 'latin1').toString()
}
