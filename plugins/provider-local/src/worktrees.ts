import { statSync } from 'node:fs'
import type { ConnectContext } from '../../../src/contract/index.ts'
import { runBox } from './box.ts'
import type { Meta, Project } from './meta.ts'
import { ownDirectories, PROJECT } from './mounts.ts'
import { Plan } from './plan.ts'
import type { Running } from './status.ts'

/** Of a project's other worktrees, those that are there: a directory made anew at the same path is another one. */
export function shownTrees({ worktrees = [] }: Project, now: Running | undefined): readonly string[] {
  return now === undefined ? worktrees : worktrees.filter((path) => sees(now, path))
}

/** Puts those that are new on a running computer, too. What cannot be put there waits for the next start. */
export async function showTrees(meta: Meta, { worktrees = [] }: Project, now: Running, context: ConnectContext): Promise<readonly string[]> {
  const shown: string[] = []
  for (const path of worktrees) if (sees(now, path) || (await attach(meta, path, now, context))) shown.push(path)
  return shown
}

async function attach(meta: Meta, path: string, now: Running, { dataDir, debug }: ConnectContext): Promise<boolean> {
  // What must not be seen there is masked before anything runs: not possible now.
  if (ownDirectories(dataDir, [path], '/nowhere').length > 0) return false
  const { pid, ticks } = now.first
  const plan = new Plan()
  if (meta.tier === 'user') plan.step('join', pid, ticks, 'user')
  plan.step('private')
  const slot = plan.take(path, PROJECT)
  plan.step('into', pid, ticks)
  // Its predecessor at the same path, which is deleted: nothing can be mounted on that.
  if (meta.project?.worktrees?.includes(path)) plan.attempt('detach', path)
  plan.step('attach', slot, path)
  const { status, stderr } = await runBox(['attach'], plan.text())
  if (status !== 0) debug(`${path} cannot be put on ${meta.name} while it runs: ${stderr}`)
  return status === 0
}

function sees({ first }: Running, path: string): boolean {
  try {
    const [here, there] = [statSync(path), statSync(`/proc/${first.pid}/root${path}`)]
    return here.dev === there.dev && here.ino === there.ino
  } catch {
    return false
  }
}
