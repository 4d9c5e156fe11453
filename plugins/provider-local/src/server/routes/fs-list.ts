import { posix } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FileStat, Files } from '../../../../../src/contract/index.ts'
import { codeOf, refuse } from '../http/errors.ts'
import { glob } from './glob.ts'

const MOST = 200_000
/** Directories that are asked for together. */
const AT_ONCE = 16
/** Entries that are looked at before others have their turn. */
const TURN = 1000
const left: ReadonlySet<string> = new Set(['permission_denied', 'not_found', 'conflict'])

/** A file gives itself; a directory what is in it, or with `recursive` all below. */
export async function listTree(files: Files, path: string, { recursive, pattern }: { readonly recursive: boolean; readonly pattern: string | null }): Promise<readonly FileStat[]> {
  const fits = pattern === null || pattern === '' ? () => true : glob(pattern)
  const top = await files.stat(path)
  const through = top.type === 'link' ? await files.list(`${path}/.`).catch(() => undefined) : undefined
  if (top.type !== 'directory' && !through) return [top]
  const found: FileStat[] = []
  const waiting = [path]
  while (waiting.length > 0) {
    const some = await Promise.all(waiting.splice(-AT_ONCE).map((at) => files.list(at).catch((error: unknown) => (at === path ? Promise.reject(error) : nothingOf(error)))))
    for (const entry of some.flat()) {
      found.push(entry)
      if (found.length > MOST) throw refuse(400, 'too_large', `more than ${MOST} entries are below ${path}`)
      if (recursive && entry.type === 'directory') waiting.push(entry.path)
    }
  }
  const fitting: FileStat[] = []
  for (let at = 0; at < found.length; at += TURN) {
    for (const entry of found.slice(at, at + TURN)) if (fits(posix.relative(path, entry.path))) fitting.push(entry)
    await setImmediate()
  }
  return fitting
}

/** What is below and may not be read, or is gone by now, is left out. */
function nothingOf(error: unknown): readonly FileStat[] {
  if (left.has(codeOf(error) ?? '')) return []
  throw error
}

export function entryOf({ path, type, size, mode, mtime }: FileStat): object {
  return {
    name: posix.basename(path),
    path,
    type: type === 'link' ? 'symlink' : type === 'directory' ? 'directory' : 'file',
    size,
    mode: (mode & 0o7777).toString(8).padStart(4, '0'),
    modTime: new Date(mtime).toISOString(),
    isDir: type === 'directory',
  }
}
