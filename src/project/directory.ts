import { posix, relative, sep } from 'node:path'
import type { Project } from './find.ts'

/**
 * The directory on the computer that is the one the user stands in, given where the project's root is there. Undefined
 * when the user stands in a worktree that is kept outside the root, and so is not on the computer.
 */
export function directoryOn(workspace: string, project: Project): string | undefined {
  const inside = relative(project.root, project.cwd)
  if (inside === '') return workspace
  if (inside === '..' || inside.startsWith(`..${sep}`)) return undefined
  return posix.join(workspace, inside.split(sep).join('/'))
}
