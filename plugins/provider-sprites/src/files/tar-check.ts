import type { ByteSource } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'

const BLOCK = 512
const LONG_MAX = 1024 * 1024
/** Files, links of both kinds, directories, and the names of long ones. */
const plain: ReadonlySet<string> = new Set(['0', '\0', '1', '2', '5', '7'])

/**
 * The same archive, looked through as it passes: what would leave the directory it is unpacked in, and what is no file,
 * directory or link, is refused; so is what ends too soon.
 */
export async function* checkTar(source: ByteSource): ByteSource {
  const walk = new Walk()
  for await (const chunk of source) {
    walk.take(chunk)
    yield chunk
  }
  walk.end()
}

class Walk {
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of a body that are to be passed over. */
  #skip = 0
  /** Collects the body of a header that belongs to the next entry. */
  #long: { readonly kind: string; size: number; readonly parts: Buffer[] } | undefined
  #name: string | undefined
  #zeros = 0
  #began = false

  take(chunk: Uint8Array): void {
    let rest: Buffer = Buffer.concat([this.#rest, chunk])
    for (;;) {
      if (this.#skip > 0) {
        const part = rest.subarray(0, this.#skip)
        this.#long?.parts.push(Buffer.from(part))
        this.#skip -= part.length
        rest = rest.subarray(part.length)
        if (this.#skip > 0) break
        if (this.#long) this.#finishLong(this.#long)
      }
      if (rest.length < BLOCK) break
      this.#header(rest.subarray(0, BLOCK))
      rest = rest.subarray(BLOCK)
    }
    this.#rest = Buffer.from(rest)
  }

  end(): void {
    if (!this.#began && this.#zeros === 0) throw bad('it is no archive')
    if (this.#skip > 0 || this.#zeros === 0) throw bad('it ends too soon')
  }

  #header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) return void this.#zeros++
    if (this.#zeros > 0) return
    this.#began = true
    if (!sound(block)) throw bad('it is no archive')
    const kind = String.fromCharCode(block[156] ?? 0)
    const size = numberAt(block, 124, 12)
    this.#skip = Math.ceil(size / BLOCK) * BLOCK
    if (kind === 'x' || kind === 'L' || kind === 'g' || kind === 'K') {
      if (size > LONG_MAX) throw bad('a name is too long')
      this.#long = { kind, size, parts: [] }
      if (this.#skip === 0) this.#finishLong(this.#long)
      return
    }
    if (!plain.has(kind)) throw bad(`it holds something that is no file, directory or link (type ${JSON.stringify(kind)})`)
    const prefix = textAt(block, 345, 155)
    const name = this.#name ?? (prefix === '' ? textAt(block, 0, 100) : `${prefix}/${textAt(block, 0, 100)}`)
    this.#name = undefined
    checkName(name)
    // A hard link's target is a name in the archive.
    if (kind === '1') checkName(textAt(block, 157, 100))
  }

  #finishLong({ kind, size, parts }: { readonly kind: string; readonly size: number; readonly parts: readonly Buffer[] }): void {
    this.#long = undefined
    const body = Buffer.concat(parts).subarray(0, size)
    if (kind === 'L') this.#name = body.toString().replace(/\0.*$/s, '')
    if (kind === 'x') this.#name = paxPath(body) ?? this.#name
  }
}

function checkName(name: string): void {
  if (name === '' || name.startsWith('/') || name.split('/').includes('..') || name.includes('\0')) throw bad(`it would leave its directory: ${JSON.stringify(name)}`)
}

function paxPath(body: Buffer): string | undefined {
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(32, at)
    const length = Number(body.subarray(at, space).toString())
    if (space < 0 || !(length > 0)) throw bad('a header of it makes no sense')
    const record = body.subarray(space + 1, at + length - 1).toString()
    if (record.startsWith('path=')) return record.slice('path='.length)
    at += length
  }
  return undefined
}

function sound(block: Buffer): boolean {
  let sum = 8 * 32
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  return sum === Number.parseInt(textAt(block, 148, 8).trim(), 8)
}

/** Octal, or binary for what is large. */
function numberAt(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) === 0) return Number.parseInt(textAt(block, at, length).trim() || '0', 8)
  return block.subarray(at + length - 6, at + length).readUIntBE(0, 6)
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString()
}

function bad(what: string): Error {
  return fail('invalid_argument', `the archive is refused: ${what}`, { source: 'amux' })
}
