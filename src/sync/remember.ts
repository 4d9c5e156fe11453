import type { EquippedComputer } from '../contract/index.ts'
import { readRefs } from './history/refs.ts'
import { type Places, type Refs, scratchOf, writeMemory } from './memory.ts'
import { untouched } from './plan.ts'
import { Here } from './trees/here.ts'
import { There } from './trees/there.ts'
import { type Survey, belongs, survey } from './trees/tree.ts'

/** The project as it was before it was copied. */
export interface Look {
  readonly tree: Here
  readonly seen: Survey
  readonly refs: Refs | undefined
}

export async function lookHere(root: string, signal: AbortSignal): Promise<Look> {
  const here = new Here(root, '.amux', signal)
  const { git, paths } = await here.names()
  return { tree: here, seen: await survey(here, paths.filter(belongs)), refs: git ? await readRefs(here).catch(() => undefined) : undefined }
}

/** So that `sync` knows later which side changed what. */
export async function remember(computer: EquippedComputer, root: string, workspace: string, before: Look, signal: AbortSignal): Promise<void> {
  const { createdAt } = await computer.info()
  const places: Places = { root, provider: computer.provider, computer: computer.name, workspace, createdAt }
  const there = new There(computer, workspace, scratchOf(places), signal)
  try {
    const [after, arrived] = await Promise.all([lookHere(root, signal), survey(there, before.seen.keys())])
    const alike = [...before.seen].flatMap(([path, here]) => {
      const its = arrived.get(path)
      const maybe = untouched(here, after.seen.get(path)) && its?.type === here.type && its.size === here.size && here.type !== 'directory'
      return maybe ? [[path, { here, there: its }] as const] : []
    })
    // Times alone would make a change of what was only touched, or put back from a checkpoint.
    const files = alike.flatMap(([path, { here }]) => (here.type === 'file' ? [path] : []))
    const [mine, its] = await Promise.all([before.tree.digest(files), there.digest(files)])
    const pairs = alike.flatMap(([path, pair]) => {
      const content = mine.get(path)
      if (pair.here.type !== 'file') return [[path, pair] as const]
      return content !== undefined && content === its.get(path) ? [[path, { ...pair, content }] as const] : []
    })
    const still = before.refs !== undefined && JSON.stringify(before.refs) === JSON.stringify(after.refs)
    const theirs = still ? await readRefs(there) : undefined
    await writeMemory(places, { files: Object.fromEntries(pairs), ...(before.refs && theirs && { refs: { here: before.refs, there: theirs } }) })
  } finally {
    await there.tidy()
  }
}
