import { lstatSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fail } from '../errors/index.ts'

export interface Repository {
  /** What all worktrees of one repository share. */
  readonly common: string
  /** The main worktree, where that can be told; else the repository's own directory. */
  readonly root: string
  /** The worktree that was asked from. */
  readonly worktree: string
}

/** The repository a directory itself is the top of, read the way git reads it, without starting git. */
export function repositoryAt(dir: string): Repository | undefined {
  const dotGit = join(dir, '.git')
  const stat = lstatSync(dotGit, { throwIfNoEntry: false })
  if (stat?.isFile()) return fromFile(dir, dotGit)
  // A link to a git directory is as good as the directory.
  if (stat && looksLikeGit(dotGit)) return repository(resolve(dir, dotGit), dir)
  return looksLikeGit(dir) ? repository(dir, undefined) : undefined
}

function fromFile(dir: string, file: string): Repository {
  const pointer = /^gitdir: (.+?)\r?\n?$/u.exec(readFileSync(file, 'utf8'))?.[1]
  const gitDir = pointer === undefined ? undefined : resolve(dir, pointer)
  if (gitDir === undefined || !statSync(join(gitDir, 'HEAD'), { throwIfNoEntry: false })) {
    throw fail('corrupt', `${file} does not point to a git repository`, { hint: 'Repair it (git worktree repair), or remove it.' })
  }
  return repository(gitDir, dir)
}

function repository(gitDir: string, worktree: string | undefined): Repository {
  const common = resolve(gitDir, readText(join(gitDir, 'commondir'))?.trim() ?? '.')
  const linked = common !== gitDir
  const root = rootOf(common) ?? (linked ? common : (worktree ?? common))
  return { common, root, worktree: worktree ?? root }
}

/** The main worktree as the repository itself tells it. */
function rootOf(common: string): string | undefined {
  const name = basename(common)
  if (name === '.git') return dirname(common)
  const config = readText(join(common, 'config')) ?? ''
  const worktree = setting(config, 'worktree')
  if (worktree !== undefined) return resolve(common, worktree)
  if (setting(config, 'bare') !== 'true') return undefined
  // `project/.bare` beside `project/main`: the folder around it is what people call the project.
  return name.startsWith('.') ? dirname(common) : common
}

/** One key of git's `[core]` section; its own format, not quite INI. */
function setting(config: string, key: string): string | undefined {
  let core = false
  let found: string | undefined
  for (const line of config.split('\n')) {
    const section = /^\s*\[([^\]]+)\]/u.exec(line)?.[1]
    if (section !== undefined) core = section.trim().toLowerCase() === 'core'
    const value = core ? new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`, 'iu').exec(line)?.[1] : undefined
    if (value !== undefined) found = value.replace(/^"(.*)"$/u, '$1')
  }
  return found
}

function looksLikeGit(dir: string): boolean {
  const has = (name: string) => statSync(join(dir, name), { throwIfNoEntry: false }) !== undefined
  return has('HEAD') && (has('commondir') || (has('objects') && has('refs')))
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
