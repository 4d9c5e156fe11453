import type { ByteSource } from '../../../../src/contract/index.ts'
import { BLOCK, type Header, bad, headerOf, paxRecords } from './tar-header.ts'

/** Of a header that belongs to the next entry, in bytes. */
const LONG_MAX = 1024 * 1024
/** A path that the kernel takes, in bytes. */
const PATH_MAX = 4096
/** Files, links of both kinds, directories. */
const plain: ReadonlySet<string> = new Set(['0', '\0', '1', '2', '5', '7'])
/** Records that say what an entry is: for one, never for all that follow. */
const TELLING = /^(?:(?:path|linkpath|size)$|GNU\.)/

/**
 * The same archive, looked through as it passes: what would leave the directory it is unpacked in, and what is no file,
 * directory or link, is refused; so is what ends too soon. Names and sizes are those that whoever unpacks it goes by: where
 * programs that unpack differ in what they take a header for, it is refused too.
 */
export async function* checkTar(source: ByteSource): ByteSource {
  const walk = new Walk()
  for await (const chunk of source) {
    walk.take(chunk)
    yield chunk
  }
  walk.end()
}

/** What headers in front of an entry say of it. */
interface Said {
  name?: string
  target?: string
  size?: number
}

class Walk {
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of a body that are to be passed over. */
  #skip = 0
  /** Collects the body of a header that belongs to the next entry. */
  #long: { readonly kind: string; size: number; readonly parts: Buffer[] } | undefined
  #said: Said = {}
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
    // What follows the end is nobody's.
    if (this.#zeros > 0) return
    const header = headerOf(block)
    if (!header) return void this.#zeros++
    this.#began = true
    const { kind, size } = header
    if (kind === 'x' || kind === 'L' || kind === 'g' || kind === 'K') {
      if (size > LONG_MAX) throw bad('a name is too long')
      this.#skip = Math.ceil(size / BLOCK) * BLOCK
      this.#long = { kind, size, parts: [] }
      if (this.#skip === 0) this.#finishLong(this.#long)
      return
    }
    this.#entry(header)
  }

  #entry({ kind, ...header }: Header): void {
    const { name, target, size } = { ...header, ...this.#said }
    this.#said = {}
    if (!plain.has(kind)) throw bad(`it holds something that is no file, directory or link (type ${JSON.stringify(kind)})`)
    checkName(name)
    // A hard link's target is a name in the archive.
    if (kind === '1') checkName(target)
    if (kind === '2' && (target === '' || target.includes('\0') || Buffer.byteLength(target) >= PATH_MAX)) throw bad(`a link of it leads nowhere: ${shown(name)}`)
    // Some take it for contents, others for the next header.
    if (size > 0 && (kind === '1' || kind === '2' || kind === '5')) throw bad(`${shown(name)} is a link or a directory, and has contents`)
    this.#skip = Math.ceil(size / BLOCK) * BLOCK
  }

  #finishLong({ kind, size, parts }: { readonly kind: string; readonly size: number; readonly parts: readonly Buffer[] }): void {
    this.#long = undefined
    const body = Buffer.concat(parts).subarray(0, size)
    if (kind === 'L') this.#say('name', body.toString().replace(/\0.*$/s, ''))
    else if (kind === 'K') this.#say('target', body.toString().replace(/\0.*$/s, ''))
    else for (const [key, value] of paxRecords(body)) this.#record(key, value, kind === 'g')
  }

  #record(key: string, value: string, forAll: boolean): void {
    if (!TELLING.test(key)) return
    if (forAll || key.startsWith('GNU.')) throw bad(`a header of it is not understood: ${shown(key)}`)
    if (key === 'path') return this.#say('name', value)
    if (key === 'linkpath') return this.#say('target', value)
    if (!/^\d{1,15}$/.test(value)) throw bad('a header of it makes no sense')
    this.#say('size', Number(value))
  }

  /** Said twice, the first counts for some and the last for others. */
  #say<Key extends keyof Said>(key: Key, value: NonNullable<Said[Key]>): void {
    if (this.#said[key] !== undefined && this.#said[key] !== value) throw bad(`an entry of it has two of a kind: ${key}`)
    this.#said[key] = value
  }
}

function checkName(name: string): void {
  if (name === '' || name.startsWith('/') || name.split('/').includes('..') || name.includes('\0')) throw bad(`it would leave its directory: ${shown(name)}`)
  if (Buffer.byteLength(name) >= PATH_MAX) throw bad(`a name is too long: ${shown(name)}`)
}

function shown(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
}
