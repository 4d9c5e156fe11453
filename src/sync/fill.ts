import type { EquippedComputer } from '../contract/index.ts'
import { pack } from './pack.ts'
import { projectFiles } from './scan.ts'

/** Copies a project to a computer that does not see it: once, before anybody works there. */
export async function fillWorkspace(computer: EquippedComputer, root: string, workspace: string, signal: AbortSignal): Promise<void> {
  const files = await projectFiles(root, signal)
  if (files.length === 0) return computer.files.mkdir(workspace, { parents: true })
  const { lookHere, remember } = await import('./remember.ts')
  const before = await lookHere(root, signal)
  await computer.archive.write(workspace, pack(root, files), { signal })
  await remember(computer, root, workspace, before, signal).catch(() => {
    // The computer is filled all the same: the first sync compares what both sides have.
    signal.throwIfAborted()
  })
}

/** A computer gets the project as it is now in another way: what is returned, called afterwards, lets `sync` know. */
export async function beginCopy(root: string, signal: AbortSignal): Promise<(computer: EquippedComputer, workspace: string) => Promise<void>> {
  const { lookHere, remember } = await import('./remember.ts')
  const before = await lookHere(root, signal)
  return (computer, workspace) => remember(computer, root, workspace, before, signal)
}
