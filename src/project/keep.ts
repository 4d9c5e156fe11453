import { hasCode } from '../errors/index.ts'
import type { ComputerInfo, ProjectPlace, StartComputerOptions } from '../contract/index.ts'
import type { Located } from './current.ts'
import { identity } from './directory.ts'
import type { Project } from './find.ts'
import type { AutoCheckpoint, ComputerEntry, ProjectRecord } from './record.ts'
import type { ProjectStore } from './store.ts'
import { otherWorktrees } from './worktrees.ts'

/** Takes a computer out of the record. The computer itself is not touched. */
export async function forget(store: ProjectStore, { provider, name }: Located): Promise<void> {
  await store.change((record) => {
    const entry = record.providers[provider]
    if (!entry) return record
    const { [name]: _, ...computers } = entry.computers
    const { current, pending, ...rest } = entry
    const kept = {
      ...rest,
      computers,
      ...(current === undefined || current === name ? {} : { current }),
      ...(pending === undefined || pending.name === name ? {} : { pending }),
    }
    return { ...record, providers: { ...record.providers, [provider]: kept } }
  })
}

export interface Adoption {
  /** amux did not make it. */
  readonly adopted: boolean
  /** As its provider says. */
  readonly madeAt: string
  /** What the project was called before its record was lost. */
  readonly id?: string | undefined
}

/** Makes a computer the project's, and its provider the chosen one. */
export async function adopt(store: ProjectStore, { provider, name, workspace }: Located, { adopted, madeAt, id }: Adoption): Promise<void> {
  const lost = id !== undefined && isEmpty(store.read())
  await store.change((found) => {
    const record = lost ? { ...found, id } : found
    const entry = record.providers[provider] ?? { computers: {} }
    const before = entry.computers[name] ?? { createdAt: new Date().toISOString() }
    const one = { ...before, madeAt, ...(workspace === undefined ? {} : { workspace }), ...(adopted ? { adopted } : {}) }
    return {
      ...record,
      provider,
      providers: { ...record.providers, [provider]: { ...entry, current: name, computers: { ...entry.computers, [name]: one } } },
    }
  })
}

/** When checkpoints of a computer of this project are made by themselves; undefined: never. */
export async function setAuto(store: ProjectStore, { provider, name }: Located, auto: AutoCheckpoint | undefined): Promise<void> {
  await store.change((record) => {
    const entry = record.providers[provider]
    const computer = entry?.computers[name]
    if (!entry || !computer) return record
    const { auto: _, ...rest } = computer
    const computers = { ...entry.computers, [name]: { ...rest, ...(auto && { auto }) } }
    return { ...record, providers: { ...record.providers, [provider]: { ...entry, computers } } }
  })
}

function isEmpty(record: ProjectRecord | undefined): boolean {
  return record === undefined || Object.keys(record.providers).length === 0
}

/**
 * Tells a computer of the project where the project is now. Not where a copy shares it: what it has mounted there is
 * the original's.
 */
export function startOptions(store: ProjectStore, { provider, name }: Located): Pick<StartComputerOptions, 'project'> {
  const entry = store.read()?.providers[provider]?.computers[name]
  if (!entry || (entry.workspace !== undefined && store.elsewhere().includes(entry.workspace))) return {}
  return { project: placeOf(store.project) }
}

/** What a provider is told of a project. */
export function placeOf(project: Project): ProjectPlace {
  const worktrees = otherWorktrees(project)
  return { path: project.root, name: project.name, ...(worktrees.length > 0 && { worktrees }) }
}

/** What of the project a computer says it has, for the record. */
export function shown({ workspace, worktrees }: ComputerInfo): Pick<ComputerEntry, 'workspace' | 'worktrees'> {
  const there = worktrees?.flatMap((path) => {
    const id = identity(path)
    return id === undefined ? [] : [[path, id] as const]
  })
  return { ...(workspace !== undefined && { workspace }), ...(there && { worktrees: Object.fromEntries(there) }) }
}

/** A computer that mounts the project has it where the project was when it started. */
export async function noteWorkspace(store: ProjectStore, provider: string, info: ComputerInfo): Promise<void> {
  const { name } = info
  const found = store.read()
  const before = found?.providers[provider]?.computers[name]
  if (before === undefined) return
  // Its labels may be changed later: until then they prove which one it is.
  const proven = info.labels['amux.project-id'] === found?.id && { madeAt: info.createdAt }
  const now = { ...before, ...shown(info), ...proven }
  if (JSON.stringify(now) === JSON.stringify(before)) return
  await store.change((record) => {
    const entry = record.providers[provider] ?? { computers: {} }
    const computers = { ...entry.computers, [name]: now }
    return { ...record, providers: { ...record.providers, [provider]: { ...entry, computers } } }
  })
}

/** Whether amux may change it: it made it, or the user gave it. Labels can be replaced by others: the record knows it all the same. */
export function isOurs(info: ComputerInfo, record: ProjectRecord | undefined, provider: string): boolean {
  const entry = record?.providers[provider]?.computers[info.name]
  return 'amux.project' in info.labels || entry?.adopted === true || (isTold(entry?.madeAt) && entry?.madeAt === info.createdAt)
}

/** A provider that cannot tell when a computer was made says 1970. */
export function isTold(madeAt: string | undefined): madeAt is string {
  return madeAt !== undefined && Date.parse(madeAt) > 0
}

/** Whether it says that it was made for another project: what has the name that this one's was to have need not be that. */
export function isAnothers({ labels }: ComputerInfo, record: ProjectRecord | undefined): boolean {
  const id = labels['amux.project-id']
  return id !== undefined && id !== record?.id
}

/** Deletes a computer and forgets it. One that is gone already is only forgotten: false. */
export async function removeComputer(store: ProjectStore | undefined, located: Located, remove: () => Promise<void>): Promise<boolean> {
  if (!store || !isRecorded(store.read(), located)) {
    await remove()
    return true
  }
  return store.exclusively(async () => {
    const there = await unlessGone(remove)
    await forget(store, located)
    return there
  })
}

async function unlessGone(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove()
    return true
  } catch (error) {
    if (hasCode(error, 'not_found')) return false
    throw error
  }
}

function isRecorded(record: ProjectRecord | undefined, { provider, name }: Located): boolean {
  const entry = record?.providers[provider]
  return entry !== undefined && (Object.hasOwn(entry.computers, name) || entry.pending?.name === name)
}
