import { createHash } from 'node:crypto'
import { sep } from 'node:path'
import { isDirectory } from '../../../shared/project.ts'
import type { ProjectPlace } from '../../../../src/contract/index.ts'

/** What a checkpoint calls one of a project's trees. */
export function treeName(project: ProjectPlace | undefined, at: string): string {
  return at === project?.path ? 'workspace' : `worktree-${createHash('sha256').update(at).digest('hex').slice(0, 8)}`
}

/** What is not there cannot be mounted. The project itself must be. */
export function withoutMissing(project: ProjectPlace | undefined): ProjectPlace | undefined {
  return project && { ...project, worktrees: (project.worktrees ?? []).filter(isDirectory) }
}

/** Everything of a project that is mounted, what contains another first; one inside another is part of that. */
export function treesOf(project: ProjectPlace | undefined): string[] {
  if (project === undefined) return []
  const all = [project.path, ...(project.worktrees ?? [])].toSorted((a, b) => a.length - b.length)
  return all.filter((path, index) => !all.slice(0, index).some((above) => path === above || path.startsWith(above + sep)))
}

/** The same without the project's own directory. */
export function otherTrees(project: ProjectPlace): string[] {
  return treesOf(project).filter((path) => path !== project.path)
}
