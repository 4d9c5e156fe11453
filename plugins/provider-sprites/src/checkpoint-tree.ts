import { posix } from 'node:path'
import type { ByteSource, CheckpointChange } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import { program } from './file-errors.ts'
import { spriteFiles } from './files.ts'
import type { Sprite } from './sprite.ts'

/** Where a sprite sees its newest checkpoints, read-only. */
const ROOT = '/.sprite/checkpoints'
/** Not of the disk that a checkpoint covers. */
const APART = ['/proc', '/sys', '/dev', '/run', '/tmp', '/.sprite']

/** The paths as they were, what came since removed. Returns how many there were. */
export async function restorePaths(sprite: Sprite, id: string, paths: readonly string[], signal: AbortSignal | undefined): Promise<number | undefined> {
  if (sprite.client.server.amux) {
    const { changed } = await sprite.client.json<{ changed?: number }>('POST', sprite.path('amux', 'checkpoints', id, 'restore'), { body: { paths }, signal, timeout: 0 })
    return changed
  }
  const root = await rootOf(sprite, id)
  for (const path of paths) {
    const script = '[ -e "$2$1" ] || [ -L "$2$1" ] || [ -e "$1" ] || exit 40; new=$(dirname -- "$1")/.amux-$3; if [ -e "$2$1" ] || [ -L "$2$1" ]; then sudo -n cp -a --reflink=auto -- "$2$1" "$new" || exit 1; fi; sudo -n rm -rf -- "$1" && { [ ! -e "$new" ] && [ ! -L "$new" ] || sudo -n mv -T -- "$new" "$1"; }'
    await program(sprite, script, [path, root, String(Date.now())], { signal })
  }
  return paths.length
}

export async function* readTree(sprite: Sprite, id: string, path: string, signal: AbortSignal | undefined): ByteSource {
  const whole = posix.join(await rootOf(sprite, id), path)
  const files = spriteFiles(sprite)
  const { type } = await files.stat(whole)
  if (type === 'directory') throw fail('invalid_argument', `${path} is a directory`, { source: 'amux' })
  yield* files.read(whole, signal ? { signal } : {})
}

/** By what `find` says of both sides; what has the same size and time is the same. */
export async function* treeDiff(sprite: Sprite, from: string, to: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<CheckpointChange, void> {
  const [before, after] = [await scan(sprite, await rootOf(sprite, from), signal), await scan(sprite, to === undefined ? '' : await rootOf(sprite, to), signal)]
  for (const [path, old] of before) {
    const now = after.get(path)
    if (!now) yield { path, change: 'removed', type: old.type, what: [], ...(old.type === 'file' && { before: old.size }) }
    else {
      const what = differences(old, now)
      if (what.length > 0) yield { path, change: 'modified', type: now.type, what, ...(old.type === 'file' && { before: old.size }), ...(now.type === 'file' && { after: now.size }) }
    }
  }
  for (const [path, now] of after) if (!before.has(path)) yield { path, change: 'added', type: now.type, what: [], ...(now.type === 'file' && { after: now.size }) }
}

interface Entry {
  readonly type: CheckpointChange['type']
  readonly size: number
  readonly mode: string
  readonly owner: string
  readonly time: string
  readonly target: string
}

async function scan(sprite: Sprite, root: string, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Entry>> {
  const apart = APART.flatMap((path) => ['-path', `${root}${path}`, '-prune', '-o']).map((word) => `'${word}'`).join(' ')
  const output = await program(sprite, `sudo -n find "$1/" -xdev ${apart} -mindepth 1 -printf '%P\\0%y\\0%s\\0%m\\0%U:%G\\0%T@\\0%l\\0' 2>/dev/null; :`, [root], { signal })
  const fields = output.toString().split('\0')
  const found = new Map<string, Entry>()
  for (let at = 0; at + 7 <= fields.length; at += 7) {
    const [name = '', kind, size, mode = '', owner = '', time = '', target = ''] = fields.slice(at, at + 7)
    if (name !== '') found.set(`/${name}`, { type: kind === 'f' ? 'file' : kind === 'd' ? 'directory' : kind === 'l' ? 'link' : 'other', size: Number(size), mode, owner, time, target })
  }
  return found
}

function differences(old: Entry, now: Entry): string[] {
  if (old.type !== now.type) return ['type']
  const file = old.type === 'file'
  const pairs = { content: file && (old.size !== now.size || old.time !== now.time), mode: old.mode !== now.mode && old.type !== 'link', owner: old.owner !== now.owner, target: old.target !== now.target }
  return Object.entries(pairs).flatMap(([what, differs]) => (differs ? [what] : []))
}

async function rootOf(sprite: Sprite, id: string): Promise<string> {
  const root = `${ROOT}/${id}`
  const { code } = await sprite.run(['test', '-d', root])
  if (code === 0) return root
  throw fail('unsupported', `${id} cannot be looked into: a sprite shows its newest five checkpoints only`, { computer: sprite.name, hint: `Restore it whole: amux computer checkpoint restore ${id}` })
}
