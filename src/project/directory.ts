import { statSync } from 'node:fs'
import { posix, relative, sep } from 'node:path'
import type { Located } from './current.ts'
import type { Project } from './find.ts'

type Shown = Pick<Located, 'workspace' | 'worktrees'>

/**
 * The directory on the computer that is the one the user stands in. Undefined when that one is not on the computer, such
 * as a worktree outside the project that it has not seen yet.
 */
export function directoryOn({ workspace, worktrees = {} }: Shown, project: Project): string | undefined {
  if (workspace === undefined) return undefined
  const inside = below(project.root, project.cwd)
  if (inside !== undefined) return posix.join(workspace, inside.split(sep).join('/'))
  const seen = Object.entries(worktrees).some(([path, id]) => below(path, project.cwd) !== undefined && identity(path) === id)
  return seen ? project.cwd : undefined
}

/**
 * A path on the computer as the user types it: from `directory` on, unless it is absolute or begins with `~`. The result
 * is absolute or begins in the home directory, as the computer takes it.
 */
export function pathOn(directory: string | undefined, path: string): string {
  if (path === '~' || path.startsWith('~/')) return `./${path.slice(2)}`
  return path.startsWith('/') || directory === undefined ? path : posix.join(directory, path)
}

/** Whether `pathOn` needs no directory. */
export function isPlaced(path: string): boolean {
  return path.startsWith('/') || path === '~' || path.startsWith('~/')
}

/** The way from one directory down to another; undefined when it does not lead down. */
export function below(above: string, path: string): string | undefined {
  const way = relative(above, path)
  return way === '..' || way.startsWith(`..${sep}`) ? undefined : way
}

/** Which directory it is, not only what it is called: one removed and made again is another. */
export function identity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}
