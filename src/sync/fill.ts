import type { EquippedComputer } from '../contract/index.ts'
import { pack } from './pack.ts'
import { projectFiles } from './scan.ts'

/** Copies a project to a computer that does not see it: once, before anybody works there. */
export async function fillWorkspace(computer: EquippedComputer, root: string, workspace: string, signal: AbortSignal): Promise<void> {
  const files = await projectFiles(root, signal)
  if (files.length === 0) return computer.files.mkdir(workspace, { parents: true })
  return computer.archive.write(workspace, pack(root, files), { signal })
}
