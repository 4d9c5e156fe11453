import type { ByteSource, ComputerUser } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { isRecord } from './info.ts'

const FORMAT = 1
const NAME = 'amux-checkpoint.json'
const BLOCK = 512
/** Of trees there are a handful. */
const LARGEST = 256 * 1024

/** Where an archive comes from. */
export interface Origin {
  readonly amux: string
  readonly provider: string
  readonly computer: string
  readonly user?: ComputerUser
  readonly workspace?: string
  /** What lies below each layer, by the tree's name. */
  readonly below: Readonly<Record<string, string>>
}

export interface ArchiveTree {
  readonly name: string
  readonly at: string
  readonly layer: boolean
}

/** What an archive says of itself, first of all. */
export interface Manifest {
  readonly id: string
  /** Bytes of the files it holds. */
  readonly size: number
  readonly trees: readonly ArchiveTree[]
  readonly message?: string
  /** Absent where an older amux wrote it. */
  readonly origin?: Origin
}

export interface Opened {
  readonly manifest: Manifest
  /** The whole, from its beginning. */
  readonly tar: ByteSource
  /** For who does not read it: where it comes from, nothing is to wait for a reader. */
  leave(): Promise<void>
}

/** Reads what comes first. */
export async function readManifest(source: ByteSource): Promise<Opened> {
  const iterator = source[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  const have = async (length: number) => {
    while (head.length < length) {
      const next = await iterator.next()
      if (next.done === true) throw noCheckpoint('it ends too early')
      head = head.length === 0 ? Buffer.from(next.value) : Buffer.concat([head, next.value])
    }
  }
  try {
    const manifest = parseManifest(await firstFile(have, (from, to) => head.subarray(from, to)))
    return { manifest, tar: joined(head, iterator), leave: async () => void (await iterator.return?.()) }
  } catch (error) {
    await iterator.return?.()
    throw error
  }
}

async function firstFile(have: (length: number) => Promise<void>, slice: (from: number, to: number) => Buffer): Promise<string> {
  let at = 0
  for (const type of ['x', '0']) {
    await have(at + BLOCK)
    const header = slice(at, at + BLOCK)
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
    if (header.toString('latin1', 257, 262) !== 'ustar' || header.toString('latin1', 156, 157) !== type || !(size >= 0 && size <= LARGEST)) throw noCheckpoint('it does not begin as one')
    const name = header.toString('latin1', 0, 100).replace(/\0.*$/s, '')
    if (type === '0' && name !== NAME) throw noCheckpoint('it does not begin as one')
    await have(at + BLOCK + size)
    if (type === '0') return slice(at + BLOCK, at + BLOCK + size).toString()
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  throw noCheckpoint('it does not begin as one')
}

function parseManifest(text: string): Manifest {
  const value = json(text)
  const { format, id, size, trees, meta, origin } = value
  if (typeof format === 'number' && format > FORMAT) throw fail('corrupt', 'this checkpoint was exported by a newer amux', { hint: 'Update amux.' })
  if (typeof id !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || !Array.isArray(trees)) throw noCheckpoint('what it says of itself is not understood')
  const message = isRecord(meta) && typeof meta['message'] === 'string' ? meta['message'] : undefined
  return { id, size, trees: trees.map(treeOf), ...(message !== undefined && { message }), ...(isRecord(origin) && { origin: originOf(origin) }) }
}

function treeOf(value: unknown): ArchiveTree {
  const { name, at, layer } = isRecord(value) ? value : {}
  if (typeof name === 'string' && typeof at === 'string' && at.startsWith('/')) return { name, at, layer: layer === true }
  throw noCheckpoint('what it says of itself is not understood')
}

function originOf({ amux, provider, computer, user, workspace, below }: Record<string, unknown>): Origin {
  return {
    amux: text(amux),
    provider: text(provider),
    computer: text(computer),
    ...(isRecord(user) && isUser(user) && { user }),
    ...(typeof workspace === 'string' && workspace.startsWith('/') && { workspace }),
    below: isRecord(below) ? Object.fromEntries(Object.entries(below).map(([name, what]) => [name, text(what)])) : {},
  }
}

function isUser(value: Record<string, unknown>): value is Record<string, unknown> & ComputerUser {
  const { name, uid, gid, home } = value
  const isId = (id: unknown) => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 ** 32
  return typeof name === 'string' && isId(uid) && isId(gid) && typeof home === 'string' && home.startsWith('/')
}

/** It is shown to people, and may be anybody's. */
function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 300) : ''
}

function json(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  throw noCheckpoint('what it says of itself is not understood')
}

async function* joined(head: Buffer, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield head
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

function noCheckpoint(why: string): Error {
  return fail('corrupt', `this is no checkpoint that amux exported: ${why}`, { hint: 'Nothing was taken in. Make one: amux computer checkpoint export ID -o FILE' })
}
