import { fail } from '../errors.ts'

export const BLOCK = 512

/** One header as it stands there: what other headers say of the same entry is not in it. */
export interface Header {
  readonly kind: string
  readonly name: string
  readonly target: string
  readonly size: number
}

/** Undefined for a block of zeros, which ends an archive. */
export function headerOf(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  if (!sound(block)) throw bad('it is no archive')
  // Elsewhere than in the POSIX form, something else is where the prefix would be.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textAt(block, 345, 155) : ''
  const name = textAt(block, 0, 100)
  return { kind: String.fromCharCode(block[156] ?? 0), name: prefix === '' ? name : `${prefix}/${name}`, target: textAt(block, 157, 100), size: sizeAt(block, 124, 12) }
}

/** Every record of a PAX header, in their order. */
export function paxRecords(body: Buffer): readonly (readonly [string, string])[] {
  const records: (readonly [string, string])[] = []
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(32, at)
    const digits = body.toString('latin1', at, Math.max(at, space))
    const end = at + Number(digits)
    const cut = body.indexOf(61, space)
    if (space < 0 || !/^[1-9]\d{0,8}$/.test(digits) || end > body.length || cut < 0 || cut >= end || body[end - 1] !== 10) throw bad('a header of it makes no sense')
    records.push([body.toString('utf8', space + 1, cut), body.toString('utf8', cut + 1, end - 1)])
    at = end
  }
  return records
}

export function bad(what: string): Error {
  return fail('invalid_argument', `the archive is refused: ${what}`, { source: 'amux' })
}

function sound(block: Buffer): boolean {
  let sum = 8 * 32
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  return sum === Number.parseInt(textAt(block, 148, 8).trim(), 8)
}

/** Octal, or binary for what is large. */
function sizeAt(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) === 0) {
    const digits = textAt(block, at, length).trim()
    if (!/^[0-7]*$/.test(digits)) throw bad('a header of it makes no sense')
    return Number.parseInt(digits || '0', 8)
  }
  const whole = block[at] === 0x80 && block.subarray(at + 1, at + length - 6).every((byte) => byte === 0)
  if (!whole) throw bad('a header of it makes no sense')
  return block.readUIntBE(at + length - 6, 6)
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString()
}
