import type { EquippedComputer } from '../contract/index.ts'
import { readRefs } from './history/refs.ts'
import { type Places, type Refs, scratchOf, writeMemory } from './memory.ts'
import { pack } from './pack.ts'
import { untouched } from './plan.ts'
import { projectFiles } from './scan.ts'
import { Here } from './trees/here.ts'
import { There } from './trees/there.ts'
import { type Survey, belongs, survey } from './trees/tree.ts'

/** Copies a project to a computer that does not see it: once, before anybody works there. */
export async function fillWorkspace(computer: EquippedComputer, root: string, workspace: string, signal: AbortSignal): Promise<void> {
  const files = await projectFiles(root, signal)
  if (files.length === 0) return computer.files.mkdir(workspace, { parents: true })
  const before = await look(root, signal)
  await computer.archive.write(workspace, pack(root, files), { signal })
  await remember(computer, root, workspace, before, signal).catch(() => {
    // The computer is filled all the same: the first sync compares what both sides have.
    signal.throwIfAborted()
  })
}

interface Look {
  readonly seen: Survey
  readonly refs: Refs | undefined
}

async function look(root: string, signal: AbortSignal): Promise<Look> {
  const here = new Here(root, '.amux', signal)
  const { git, paths } = await here.names()
  return { seen: await survey(here, paths.filter(belongs)), refs: git ? await readRefs(here).catch(() => undefined) : undefined }
}

/** So that `sync` knows later which side changed what. */
async function remember(computer: EquippedComputer, root: string, workspace: string, before: Look, signal: AbortSignal): Promise<void> {
  const { createdAt } = await computer.info()
  const places: Places = { root, provider: computer.provider, computer: computer.name, workspace, createdAt }
  const there = new There(computer, workspace, scratchOf(places), signal)
  try {
    const [after, arrived] = await Promise.all([look(root, signal), survey(there, before.seen.keys())])
    const pairs = [...before.seen].flatMap(([path, here]) => {
      const its = arrived.get(path)
      const sure = untouched(here, after.seen.get(path)) && its?.type === here.type && its.size === here.size && here.type !== 'directory'
      return sure ? [[path, { here, there: its }] as const] : []
    })
    const still = before.refs !== undefined && JSON.stringify(before.refs) === JSON.stringify(after.refs)
    const theirs = still ? await readRefs(there) : undefined
    await writeMemory(places, { files: Object.fromEntries(pairs), ...(before.refs && theirs && { refs: { here: before.refs, there: theirs } }) })
  } finally {
    await there.tidy()
  }
}
