import { lstatSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { repositoryAt } from './git.ts'

export const RECORD = join('.amux', 'computer.json')

export interface Project {
  /** Absolute, links resolved. Holds `.amux/`; the same for every worktree. */
  readonly root: string
  /** The worktree one stands in; `root` where there is only one. */
  readonly worktree: string
  /** Where one stands: absolute, links resolved, in `worktree` or below. */
  readonly cwd: string
  /** For people, as the directory is called. */
  readonly name: string
  /** The git directory that all worktrees share. */
  readonly git?: string
}

/** The nearest git repository, else the nearest directory that has a record, else the directory itself. */
export function findProject(from: string = process.cwd()): Project {
  const cwd = realpathSync(from)
  let recorded: string | undefined
  for (let dir = cwd; ; dir = dirname(dir)) {
    const repository = repositoryAt(dir)
    if (repository) {
      const root = realpathSync(repository.root)
      return { root, worktree: realpathSync(repository.worktree), cwd, name: projectName(root), git: realpathSync(repository.common) }
    }
    if (recorded === undefined && hasRecord(dir)) recorded = dir
    if (dir === dirname(dir)) break
  }
  const root = recorded ?? cwd
  return { root, worktree: root, cwd, name: projectName(root) }
}

/** Whatever is there, sound or not: a broken record is an error later, never "no project". */
function hasRecord(dir: string): boolean {
  try {
    return lstatSync(join(dir, RECORD), { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOTDIR')
  }
}

function projectName(root: string): string {
  return basename(root).replace(/\.git$/u, '') || 'root'
}
