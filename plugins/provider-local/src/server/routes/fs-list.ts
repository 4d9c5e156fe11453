import { posix } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FileStat, Files } from '../../../../../src/contract/index.ts'
import { refuse } from '../http/errors.ts'
import { glob } from './glob.ts'

const MOST = 200_000
/** Entries that are looked at before others have their turn. */
const TURN = 1000

/** A file gives itself; a directory what is in it, or with `recursive` all below. */
export async function listTree(files: Files, path: string, { recursive, pattern }: { readonly recursive: boolean; readonly pattern: string | null }): Promise<readonly FileStat[]> {
  const fits = pattern === null || pattern === '' ? () => true : glob(pattern)
  const top = await files.stat(path)
  const through = top.type === 'link' ? await files.list(`${path}/.`).catch(() => undefined) : undefined
  if (top.type !== 'directory' && !through) return [top]
  const found: FileStat[] = []
  const waiting = [path]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await files.list(at)) {
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
