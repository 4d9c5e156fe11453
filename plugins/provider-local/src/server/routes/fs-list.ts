import { posix } from 'node:path'
import type { FileStat, Files } from '../../../../../src/contract/index.ts'
import { refuse } from '../http/errors.ts'

const MOST = 200_000

/** A file gives itself; a directory what is in it, or with `recursive` all below. */
export async function listTree(files: Files, path: string, { recursive, pattern }: { readonly recursive: boolean; readonly pattern: string | null }): Promise<readonly FileStat[]> {
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
  return pattern === null || pattern === '' ? found : found.filter((entry) => fits(posix.relative(path, entry.path), pattern))
}

/** Of the name, unless the pattern has directories. */
function fits(path: string, pattern: string): boolean {
  return posix.matchesGlob(pattern.includes('/') ? path : posix.basename(path), pattern)
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
