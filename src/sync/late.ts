import type { EquippedComputer } from '../contract/index.ts'
import type { Places } from './memory.ts'
import type { SyncOptions, SyncResult } from './project.ts'

/**
 * Carries what changed from one side to the other, and never over what changed on the other. Two at once wait for each
 * other. Loaded when it is called: every command that makes a computer comes by here.
 */
export async function syncProject(computer: EquippedComputer, places: Places, options: SyncOptions): Promise<SyncResult> {
  const { synchronise } = await import('./project.ts')
  return synchronise(computer, places, options)
}
