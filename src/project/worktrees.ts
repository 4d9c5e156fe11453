import { lstatSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { below } from './directory.ts'
import type { Project } from './find.ts'

/**
 * The project's worktrees outside its root, links resolved, without git's help. The list in the repository may have been
 * written on a computer: a directory counts only if it is a worktree by its own word, which nobody there can give.
 */
export function otherWorktrees({ root, git }: Project): string[] {
  if (git === undefined) return []
  const all = entries(join(git, 'worktrees')).flatMap((name) => worktreeOf(join(git, 'worktrees', name)) ?? [])
  const outside = [...new Set(all)].filter((path) => below(root, path) === undefined)
  // One that lies in another is seen with that one.
  return outside.filter((path) => !outside.some((other) => other !== path && below(other, path) !== undefined)).toSorted()
}

function worktreeOf(gitDir: string): string | undefined {
  try {
    const dotGit = resolve(gitDir, readFileSync(join(gitDir, 'gitdir'), 'utf8').trim())
    const path = realpathSync(dirname(dotGit))
    const own = join(path, '.git')
    if (basename(dotGit) !== '.git' || !lstatSync(own).isFile()) return undefined
    const back = /^gitdir: (.+?)\r?\n?$/u.exec(readFileSync(own, 'utf8'))?.[1]
    return back !== undefined && realpathSync(resolve(path, back)) === realpathSync(gitDir) ? path : undefined
  } catch {
    // Pruned, moved, or on a disk that is not there: git itself cannot use it now.
    return undefined
  }
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
