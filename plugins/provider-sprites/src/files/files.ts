import { createHash, randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type { ByteSource, Files, WriteOptions } from '../../../../src/contract/index.ts'
import { fail, hasCode, throwIfAborted } from '../errors.ts'
import { explained, fileError, program } from './errors.ts'
import { parseList, parseStat } from './stat.ts'
import { watchFiles } from './watch.ts'
import type { Sprite } from '../sprite.ts'

/** What is larger is compared with what the sprite has: large outputs are known to lose bytes on their way. */
const CHECKED = 1024 * 1024

const STAT = `stat --printf='%f %s %u %g %.9Y\\n' -- "$1" 2>/dev/null || why "$1"; if [ -L "$1" ]; then readlink -n -- "$1" || exit 42; fi`
const LIST = `[ -d "$1" ] || { [ -e "$1" ] && exit 41; why "$1"; }; [ -r "$1" ] || exit 42; find "$1/" -mindepth 1 -maxdepth 1 -printf '%f\\0%y\\0%s\\0%m\\0%U\\0%G\\0%T@\\0%l\\0'`
/** Whether a write makes a new file, and what is kept of an old one. */
const PLACE = `if [ -d "$1" ]; then exit 41; fi; d=$(dirname -- "$1"); if [ "$2" = yes ]; then mkdir -p -- "$d" 2>/dev/null || why "$d/x"; fi; [ -d "$d" ] || why "$d/x"; [ -w "$d" ] || exit 42; if [ -e "$1" ]; then realpath -z -- "$1"; stat -L -c %a -- "$1"; else printf '%s\\0' "$1"; fi`

/** Through the file API; what that does not have, by small programs on the sprite. */
export function spriteFiles(sprite: Sprite): Files {
  const { client } = sprite
  const at = (path: string) => absolute(sprite, path)
  const post = async (what: string, body: object, signal?: AbortSignal) => {
    await explained(sprite, client.json('POST', sprite.path('fs', what), { body: { ...body, workingDir: '/' }, signal }))
  }
  return {
    read: (path, options = {}) => read(sprite, path, options),
    write: (path, data, options = {}) => write(sprite, path, data, options),
    stat: async (path) => {
      const whole = await at(path)
      return parseStat(whole, await program(sprite, STAT, [whole]))
    },
    list: async (path) => {
      const whole = await at(path)
      return parseList(whole, await program(sprite, LIST, [whole]))
    },
    async mkdir(path, { parents = false, mode, user } = {}) {
      const whole = await at(path)
      const make = parents ? 'mkdir -p -- "$1" 2>/dev/null || { [ -e "$1" ] && exit 41; why "$1"; }' : '[ -e "$1" ] || [ -L "$1" ] && exit 41; mkdir -- "$1" 2>/dev/null || why "$1"'
      await program(sprite, `old=; [ -d "$1" ] && old=yes; ${make}; [ -n "$2" ] && [ -z "$old" ] && chmod -- "$2" "$1"; :`, [whole, mode?.toString(8) ?? ''])
      if (user !== undefined) await own(sprite, whole, user)
    },
    rename: async (from, to) => post('rename', { source: await at(from), dest: await at(to) }),
    chmod: async (path, mode, { recursive = false } = {}) => post('chmod', { path: await at(path), mode: mode.toString(8).padStart(4, '0'), recursive }),
    async chown(path, owner, { recursive = false } = {}) {
      const [uid, gid] = owner.split(':', 2)
      const id = (text: string) => (/^\d+$/.test(text) ? Number(text) : text)
      await post('chown', { path: await at(path), recursive, asRoot: true, ...(uid && { uid: id(uid) }), ...(gid && { gid: id(gid) }) })
    },
    async copy(from, to, { recursive = false, preserve = false, signal } = {}) {
      const [source, dest] = [await at(from), await at(to)]
      if (dest === source || dest.startsWith(`${source}/`)) throw fail('invalid_argument', `${from} cannot be copied into itself`, { source: 'amux' })
      await post('copy', { source, dest, recursive, preserveAttrs: preserve }, signal)
    },
    async remove(path, { recursive = false } = {}) {
      await explained(sprite, client.json('DELETE', sprite.path('fs', 'delete'), { query: { path: await at(path), workingDir: '/', recursive: recursive || undefined } }))
    },
    watch: async (paths, options = {}) => watchFiles(sprite, await Promise.all(paths.map(at)), options),
  }
}

export async function absolute(sprite: Sprite, path: string): Promise<string> {
  if (path === '' || path.includes('\0')) throw fail('invalid_argument', 'a path is empty, or holds a NUL byte', { source: 'amux' })
  return posix.isAbsolute(path) ? posix.normalize(path) : posix.join((await sprite.facts()).user.home, path)
}

async function* read(sprite: Sprite, path: string, { offset = 0, length, signal }: { readonly offset?: number; readonly length?: number; readonly signal?: AbortSignal }): ByteSource {
  throwIfAborted(signal)
  if (length === 0) return
  const whole = await absolute(sprite, path)
  const part = offset > 0 || length !== undefined
  const headers = part ? { range: `bytes=${offset}-${length === undefined ? '' : offset + length - 1}` } : {}
  try {
    const answer = await sprite.client.bytes('GET', sprite.path('fs', 'read'), { query: { path: whole, workingDir: '/' }, signal, timeout: 0, headers })
    const body = part && answer.status === 200 ? slice(answer.body, offset, length) : answer.body
    yield* part ? body : checked(sprite, whole, body)
  } catch (error) {
    // Nothing is there at that offset.
    if (error instanceof Error && 'status' in error && error.status === 416) return
    throw broken(fileError(error, sprite), sprite, `${path} on ${sprite.name} did not arrive whole`)
  }
}

/** A service that knows no ranges sends it all. */
async function* slice(source: ByteSource, offset: number, length = Infinity): ByteSource {
  let at = 0
  for await (const chunk of source) {
    const part = chunk.subarray(Math.max(0, offset - at), Math.max(0, offset + length - at))
    at += chunk.length
    if (part.length > 0) yield part
    if (at >= offset + length) return
  }
}

/** A large one is compared with what the sprite has. */
async function* checked(sprite: Sprite, path: string, source: ByteSource): ByteSource {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of source) {
    hash.update(chunk)
    size += chunk.length
    yield chunk
  }
  if (size < CHECKED) return
  // A log grows while it is read: what arrived must be how it begins.
  const there = (await program(sprite, 'head -c "$2" < "$1" | sha256sum | cut -c1-64', [path, String(size)])).toString().trim()
  if (there !== hash.digest('hex')) throw fail('connection_lost', `${path} on ${sprite.name} is not what arrived: it changed, or bytes were lost`, { source: 'transport', computer: sprite.name, hint: 'Try again.' })
}

/** Size and SHA-256 of a file on the sprite. */
export async function hashOf(sprite: Sprite, path: string): Promise<string> {
  return (await program(sprite, `printf '%s ' "$(stat -L -c %s -- "$1")"; sha256sum < "$1" | cut -c1-64`, [path])).toString().trim()
}

async function write(sprite: Sprite, path: string, data: ByteSource | Uint8Array, { mode, user, parents = false, signal }: WriteOptions): Promise<void> {
  throwIfAborted(signal)
  const whole = await absolute(sprite, path)
  const [target = whole, before = ''] = (await program(sprite, PLACE, [whole, parents ? 'yes' : 'no'], { signal })).toString().split('\0')
  const wanted = before.trim() === '' ? (mode ?? 0o644) : Number.parseInt(before.trim(), 8)
  const aside = posix.join(posix.dirname(target), `.amux-${randomBytes(6).toString('hex')}`)
  try {
    const sent = await upload(sprite, aside, data, wanted, signal)
    if (user !== undefined) await own(sprite, aside, user)
    await explained(sprite, sprite.client.json('POST', sprite.path('fs', 'rename'), { body: { source: aside, dest: target, workingDir: '/' }, again: true })).catch(async (error: unknown) => {
      // It may be in its place, and only the answer lost.
      if (!hasCode(error, 'not_found', 'connection_lost') || (await hashOf(sprite, target).catch(() => '')) !== sent) throw error
    })
  } catch (error) {
    await sprite.client.json('DELETE', sprite.path('fs', 'delete'), { query: { path: aside, workingDir: '/' } }).catch(() => undefined)
    throw broken(fileError(error, sprite), sprite, `${path} on ${sprite.name} was not written, what was there is as it was`)
  }
}

/** The connection broke: what that means for the file. */
function broken(error: unknown, { name }: Sprite, what: string): unknown {
  if (!(error instanceof Error) || !hasCode(error, 'connection_lost') || 'hint' in error) return error
  return fail('connection_lost', `${what}: ${error.message}`, { source: 'transport', computer: name, cause: error, hint: 'Try again.' })
}

/** Under that very name; whole, or it fails. Returns its size and hash, as `hashOf` does. */
export async function upload(sprite: Sprite, path: string, data: ByteSource | Uint8Array, mode: number, signal: AbortSignal | undefined): Promise<string> {
  const counted = new Counted()
  const query = { path, workingDir: '/', mode: mode.toString(8).padStart(4, '0'), mkdirParents: true }
  await explained(sprite, sprite.client.upload('PUT', sprite.path('fs', 'write'), data instanceof Uint8Array ? data : counted.of(data), { query, signal }))
  if (data instanceof Uint8Array) counted.take(data)
  const there = await hashOf(sprite, path)
  if (there === `${counted.size} ${counted.digest()}`) return there
  throw fail('connection_lost', `${path} did not arrive whole on ${sprite.name}`, { source: 'transport', computer: sprite.name, hint: 'Try again.' })
}

class Counted {
  readonly #hash = createHash('sha256')
  size = 0

  async *of(source: ByteSource): ByteSource {
    for await (const chunk of source) {
      this.take(chunk)
      yield chunk
    }
  }

  take(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.size += chunk.length
  }

  digest(): string {
    return this.#hash.digest('hex')
  }
}

async function own(sprite: Sprite, path: string, user: string): Promise<void> {
  const { code, stderr } = await sprite.run(['sudo', '-n', 'chown', '--', user, path])
  if (code !== 0) throw fail(/invalid user/.test(stderr.toString()) ? 'not_found' : 'permission_denied', `${path} on ${sprite.name} cannot be given to ${user}: ${stderr.toString().trim()}`, { computer: sprite.name })
}

