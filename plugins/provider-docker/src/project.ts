import { realpathSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { resolve, sep } from 'node:path'
import type { ProjectPlace } from '../../../src/contract/index.ts'
import { fail, hasCode } from './errors.ts'

/** Directories of the machine's, but none that a computer is there to be kept away from. So with its worktrees, which are left out then. */
export function checkProject({ name, path, worktrees }: ProjectPlace): ProjectPlace {
  const trees = worktrees?.flatMap((tree) => {
    try {
      return [checkPath(tree)]
    } catch {
      return []
    }
  })
  return { path: checkPath(path), name, ...(trees && { worktrees: trees }) }
}

const SYSTEM = new Set(['/bin', '/boot', '/dev', '/etc', '/lib', '/proc', '/run', '/sbin', '/sys', '/usr', '/var'])

function checkPath(given: string): string {
  const path = realDirectory(given)
  const above = homes().find((home) => home !== '/' && (home === path || home.startsWith(path === '/' ? '/' : path + sep)))
  if (path === '/' || SYSTEM.has(path) || above !== undefined) {
    throw fail('invalid_argument', `${path} cannot be a project: the computer would have all of ${above ? 'your home' : 'this machine'}`, { hint: 'Work in a directory below it.', source: 'amux' })
  }
  return path
}

function realDirectory(path: string): string {
  try {
    const real = realpathSync(resolve(path))
    if (statSync(real).isDirectory()) return real
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
  }
  throw fail('invalid_argument', `the project is no directory: ${path}`, { source: 'amux' })
}

function homes(): string[] {
  try {
    return [homedir(), userInfo().homedir]
  } catch {
    return [homedir()]
  }
}

/** Everything of a project that is mounted, what contains another first; one inside another is part of that. */
export function treesOf(project: ProjectPlace | undefined): string[] {
  if (project === undefined) return []
  const all = [project.path, ...(project.worktrees ?? [])].toSorted((a, b) => a.length - b.length)
  return all.filter((path, index) => !all.slice(0, index).some((above) => path === above || path.startsWith(above + sep)))
}
