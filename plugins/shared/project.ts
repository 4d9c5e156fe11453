import { realpathSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { resolve, sep } from 'node:path'
import type { ProjectPlace } from '../../src/contract/index.ts'
import { fail, hasCode } from './errors.ts'

const SYSTEM = new Set(['/bin', '/boot', '/dev', '/etc', '/lib', '/proc', '/run', '/sbin', '/sys', '/usr', '/var'])

/** A directory of the machine's, but not one that a computer is there to be kept away from. So with its worktrees, which are left out then. */
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

function checkPath(given: string): string {
  const path = realDirectory(given, 'the project')
  const above = [userHome(), homedir()].find((home) => home !== '/' && (home === path || home.startsWith(path === '/' ? '/' : path + sep)))
  if (path === '/' || SYSTEM.has(path) || above !== undefined) {
    throw fail('invalid_argument', `${path} cannot be a project: the computer would have all of ${above ? 'your home' : 'this machine'}`, { hint: 'Work in a directory below it.', source: 'amux' })
  }
  return path
}

/** With all links resolved. `what`: how it is called. */
export function realDirectory(path: string, what: string): string {
  try {
    const real = realpathSync(resolve(path))
    if (isDirectory(real)) return real
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
  }
  throw fail('invalid_argument', `${what} is no directory: ${path}`, { source: 'amux' })
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function userHome(): string {
  try {
    return userInfo().homedir
  } catch {
    return homedir()
  }
}
