import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type { ByteSource, CheckpointChange } from '../../../../src/contract/index.ts'
import { APART, compareTrees } from './diff.ts'
import { fail } from '../errors.ts'
import { program } from '../files/errors.ts'
import { spriteFiles } from '../files/files.ts'
import type { Sprite } from '../sprite.ts'

/** Where a sprite sees its newest checkpoints, read-only. */
const ROOT = '/.sprite/checkpoints'

/** Copied beside it first: what is there now goes once all is there that replaces it. */
const REPLACE = `
new=$(dirname -- "$1")/.amux-$3
trap 'sudo -n rm -rf -- "$new"' EXIT
if [ -e "$2$1" ] || [ -L "$2$1" ]; then sudo -n mkdir -p -- "$(dirname -- "$1")" && sudo -n cp -a --reflink=auto -- "$2$1" "$new" || exit 1; fi
sudo -n rm -rf -- "$1" || exit 1
[ ! -e "$new" ] && [ ! -L "$new" ] || sudo -n mv -T -- "$new" "$1"`

/** The paths as they were, what came since removed. Returns how many files and directories that changed. */
export async function restorePaths(sprite: Sprite, id: string, paths: readonly string[], signal: AbortSignal | undefined): Promise<number | undefined> {
  if (sprite.client.server.amux) {
    const { changed } = await sprite.client.json<{ changed?: number }>('POST', sprite.path('amux', 'checkpoints', id, 'restore'), { body: { paths }, signal, timeout: 0 })
    return changed
  }
  const root = await rootOf(sprite, id)
  const wanted = paths.map((path) => covered(posix.resolve('/', path)))
  const changed = new Set<string>()
  for (const path of wanted) {
    await program(sprite, '[ -e "$2$1" ] || [ -L "$2$1" ] || [ -e "$1" ] || [ -L "$1" ] || exit 40', [path, root], { signal })
    for (const change of await compareTrees(sprite, { from: '', to: root, below: path }, signal)) changed.add(change.path)
  }
  for (const path of wanted) await program(sprite, REPLACE, [path, root, randomBytes(6).toString('hex')], { signal })
  return changed.size
}

export async function* readTree(sprite: Sprite, id: string, path: string, signal: AbortSignal | undefined): ByteSource {
  const whole = posix.join(await rootOf(sprite, id), path)
  const files = spriteFiles(sprite)
  const { type } = await files.stat(whole)
  if (type !== 'file') throw fail('invalid_argument', `${path} is no file`, { source: 'amux', computer: sprite.name })
  yield* files.read(whole, signal ? { signal } : {})
}

export async function* treeDiff(sprite: Sprite, from: string, to: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<CheckpointChange, void> {
  yield* await compareTrees(sprite, { from: await rootOf(sprite, from), to: to === undefined ? '' : await rootOf(sprite, to) }, signal)
}

/** What no checkpoint holds would only be removed. */
function covered(path: string): string {
  const apart = APART.find((one) => path === one || path.startsWith(`${one}/`))
  if (apart === undefined) return path
  throw fail('invalid_argument', `${path} cannot be restored: no checkpoint covers ${apart}`, { source: 'amux' })
}

async function rootOf(sprite: Sprite, id: string): Promise<string> {
  const root = `${ROOT}/${id}`
  const { code } = await sprite.run(['test', '-d', root])
  if (code === 0) return root
  throw fail('unsupported', `${id} cannot be looked into: a sprite shows its newest five checkpoints only`, { computer: sprite.name, hint: `Restore it whole: amux computer checkpoint restore ${id} -c ${sprite.name} -P sprites` })
}
