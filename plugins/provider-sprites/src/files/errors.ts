import type { ErrorCode } from '../../../../src/contract/index.ts'
import { fail, hasCode } from '../errors.ts'
import type { Sprite } from '../sprite.ts'

const posix: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not_found',
  EEXIST: 'conflict',
  ENOTDIR: 'conflict',
  EISDIR: 'conflict',
  ENOTEMPTY: 'conflict',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  EINVAL: 'invalid_argument',
  ENOSPC: 'quota_exceeded',
}

/** What the file API says of a failure, as an error of ours: its POSIX code counts for more than its status. */
export function fileError(error: unknown, { name }: Sprite): unknown {
  const word = error instanceof Error && 'posix' in error ? String(error.posix) : ''
  const code = posix[word]
  return code && error instanceof Error ? fail(code, error.message, { computer: name, cause: error }) : error
}

export async function explained<T>(sprite: Sprite, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw fileError(error, sprite)
  }
}

/** Statuses of the small programs below, which look at the reason themselves. */
export const reasons: Readonly<Record<number, ErrorCode>> = { 40: 'not_found', 41: 'conflict', 42: 'permission_denied' }

/** Programs say so in words alone; tar, of a disk that filled up under it, in these. */
const FULL = /No space left|Disk quota exceeded|Wrote only \d+ of \d+ bytes/

/** For the beginning of a program: `why PATH` ends it with the reason that stands in the way of PATH. */
export const WHY = 'why() { p=$1; while [ ! -e "$p" ] && [ ! -L "$p" ]; do d=$(dirname -- "$p"); [ "$d" = "$p" ] && break; if [ -e "$d" ]; then [ -d "$d" ] || exit 41; [ -x "$d" ] || exit 42; exit 40; fi; p=$d; done; [ -e "$1" ] || [ -L "$1" ] || exit 40; exit 42; }; '

/** Runs one of them; its failures by their statuses. */
export async function program(sprite: Sprite, script: string, args: readonly string[], options: { readonly signal?: AbortSignal | undefined; readonly input?: Uint8Array } = {}): Promise<Buffer> {
  const { code, stdout, stderr } = await sprite.run(['sh', '-c', WHY + script, 'sh', ...args], options)
  if (code === 0) return stdout
  const said = stderr.toString().trim().replace(/^sh: \d+: /, '')
  const full = FULL.test(said)
  const reason = full ? 'quota_exceeded' : (reasons[code] ?? 'failed')
  const hint = full ? `Free some space, then do the same again: amux computer exec -c ${sprite.name} -P sprites -- df -h` : undefined
  throw fail(reason, `${args[0] ?? ''} on ${sprite.name}: ${full ? 'no space left on its disk: ' : ''}${said || words[reason] || `status ${code}`}`, { computer: sprite.name, hint })
}

const words: { readonly [code in ErrorCode]?: string } = { not_found: 'no such file or directory', conflict: 'something else is there', permission_denied: 'permission denied' }

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'not_found')
}
