import type { EquippedComputer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { directoryOn, locate } from '../project/index.ts'
import type { Context } from './context.ts'

export interface Placed {
  /** The one on the computer. Undefined where the computer is none of this project's. */
  readonly directory?: string | undefined
  /** The computer is this project's, and the directory is not on it: nothing is run elsewhere instead. */
  readonly away?: Error
}

/** Where on a computer the directory is that one stands in. */
export async function placeOn(amux: Context, { provider, name }: Pick<EquippedComputer, 'provider' | 'name'>): Promise<Placed> {
  const store = await amux.followed()
  const located = locate(store?.read(), { provider, computer: name })
  if (!store || located?.workspace === undefined) return {}
  const project = amux.project()
  const directory = directoryOn(located, project)
  if (directory !== undefined) return { directory }
  const restart = located.worktrees === undefined ? '' : `To have it there: amux computer restart -c ${name}. `
  const away = fail('conflict', `${project.worktree} is not on ${name}, which has ${project.root}`, {
    hint: `${restart}To run in the other one: -w ${located.workspace}`,
    computer: name,
  })
  return { away }
}
