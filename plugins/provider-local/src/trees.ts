import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Layout } from './layout.ts'
import type { Meta, Project } from './meta.ts'

/** One directory of a computer's project. */
export interface ProjectTree {
  /** `workspace`, `worktree-…`. */
  readonly name: string
  /** Where programs see it. */
  readonly at: string
  /** Where it is on this machine. */
  readonly source: string
}

export function treesOf(project: Project | undefined): string[] {
  return project === undefined ? [] : [project.path, ...(project.worktrees ?? [])].toSorted((a, b) => a.length - b.length)
}

/** Directories of this machine that a computer shows. */
export function mountedTrees({ project, copied }: Pick<Meta, 'project' | 'copied'>): string[] {
  return copied ? [] : treesOf(project)
}

/** Everything of a project, what contains another first. A fork has copies of its own; of another's some may be gone. */
export function projectTrees(place: Layout, { project, copied }: Pick<Meta, 'project' | 'copied'>): ProjectTree[] {
  return treesOf(project).map((at) => {
    const name = at === project?.path ? 'workspace' : `worktree-${createHash('sha256').update(at).digest('hex').slice(0, 8)}`
    return { name, at, source: copied ? join(place.disk, 'trees', name) : at }
  })
}

/** The same without those that are inside another one and so part of it. */
export function apartTrees(place: Layout, meta: Meta): ProjectTree[] {
  const found: ProjectTree[] = []
  const all = projectTrees(place, meta).filter(({ source }) => isDirectory(source))
  for (const tree of all) if (!found.some(({ at }) => tree.at.startsWith(at + sep))) found.push(tree)
  // The project itself is one even inside a worktree.
  const own = all.find(({ at }) => at === meta.project?.path)
  if (own && !found.includes(own)) found.push(own)
  return found
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
