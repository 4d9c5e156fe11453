import { sep } from 'node:path'
import type { ProjectPlace } from '../../../../src/contract/index.ts'

/** Everything of a project that is mounted, what contains another first; one inside another is part of that. */
export function treesOf(project: ProjectPlace | undefined): string[] {
  if (project === undefined) return []
  const all = [project.path, ...(project.worktrees ?? [])].toSorted((a, b) => a.length - b.length)
  return all.filter((path, index) => !all.slice(0, index).some((above) => path === above || path.startsWith(above + sep)))
}
