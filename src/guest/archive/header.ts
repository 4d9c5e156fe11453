import { GuestError } from '../wire.ts'

/** Names and link targets hold one byte per character (latin1): a file name is bytes, not always UTF-8. */
export interface Entry {
  readonly name: string
  readonly type: 'file' | 'directory' | 'link' | 'hardlink'
  readonly size: number
  readonly mode: number
  /** Seconds. */
  readonly mtime: number
  readonly target: string
}

export const BLOCK = 512
const OCTAL_11 = 0o77777777777
const flags = { file: '0', hardlink: '1', link: '2', directory: '5' } as const

/** The header of one entry, preceded by a pax header where the old format is too narrow. */
export function encodeHeader(entry: Entry): Buffer {
  const records: string[] = []
  if (entry.name.length > 100 || !ascii(entry.name)) records.push(record('path', entry.name))
  if (entry.target.length > 100 || !ascii(entry.target)) records.push(record('linkpath', entry.target))
  if (entry.size > OCTAL_11) records.push(record('size', String(entry.size)))
  if (entry.mtime < 0 || !Number.isInteger(entry.mtime)) records.push(record('mtime', entry.mtime.toFixed(9)))
  const main = block(entry, flags[entry.type])
  if (records.length === 0) return main
  const body = Buffer.from(records.join(''), 'latin1')
  const extended = block({ ...entry, name: 'pax', target: '', size: body.length, mode: 0o644 }, 'x')
  return Buffer.concat([extended, body, Buffer.alloc(padding(body.length)), main])
}

export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function block(entry: Entry, flag: string): Buffer {
  const out = Buffer.alloc(BLOCK)
  out.write(entry.name.slice(0, 100), 0, 'latin1')
  octal(out, 100, 7, entry.mode & 0o7777)
  octal(out, 108, 7, 0)
  octal(out, 116, 7, 0)
  octal(out, 124, 11, Math.min(entry.size, OCTAL_11))
  octal(out, 136, 11, Math.min(Math.max(0, Math.floor(entry.mtime)), OCTAL_11))
  out.write(flag, 156, 'latin1')
  out.write(entry.target.slice(0, 100), 157, 'latin1')
  out.write('ustar\x0000', 257, 'latin1')
  out.fill(' ', 148, 156)
  octal(out, 148, 6, checksum(out))
  out[154] = 0
  return out
}

function octal(out: Buffer, offset: number, digits: number, value: number): void {
  out.write(value.toString(8).padStart(digits, '0'), offset, 'latin1')
}

function checksum(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0)
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
  if (header.every((byte) => byte === 0)) return undefined
  if (number(header, 148, 8) !== checksum(header)) throw new GuestError('invalid_argument', 'this is no tar archive, or it is damaged (checksum)')
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
  const raw = from.toString('latin1', offset, offset + length)
  const end = raw.indexOf('\0')
  return end === -1 ? raw : raw.slice(0, end)
}

/** Octal text, or, for what does not fit, a big-endian number after a byte with its top bit set. */
function number(from: Buffer, offset: number, length: number): number {
  const first = from[offset] ?? 0
  if ((first & 0x80) === 0) {
    const digits = text(from, offset, length).trim()
    if (!/^[0-7]*$/.test(digits)) throw new GuestError('invalid_argument', 'this is no tar archive, or it is damaged (number)')
    return digits === '' ? 0 : Number.parseInt(digits, 8)
  }
  let value = first === 0xff ? -1 : first & 0x7f
  for (let at = offset + 1; at < offset + length; at++) value = value * 256 + (from[at] ?? 0)
  return value
}
