import { fail } from '../errors/index.ts'
import { type Project, findProject } from './find.ts'
import { inspect } from './inspect.ts'
import type { AutoCheckpoint, ProjectRecord } from './record.ts'

/** A computer that a record names. Whether it is still there, only its provider knows. */
export interface Located {
  readonly provider: string
  readonly name: string
  /** Where the project's files are on it. */
  readonly workspace?: string
  /** The project's worktrees that it has at their own paths, each with the identity of the directory it has. */
  readonly worktrees?: Readonly<Record<string, string>>
  readonly auto?: AutoCheckpoint
}

export interface Wanted {
  /** `-P`, else AMUX_PROVIDER. */
  readonly provider?: string | undefined
  /** `-c`. */
  readonly computer?: string | undefined
}

/** The computer a command works on: the named one, else the current one of the wanted or chosen provider. */
export function locate(record: ProjectRecord | undefined, wanted: Wanted): Located | undefined {
  if (!record) return undefined
  if (wanted.computer !== undefined) return locateNamed(record, wanted.computer, wanted.provider)
  const provider = wanted.provider ?? chosenProvider(record)
  if (provider === undefined) return undefined
  const name = record.providers[provider]?.current
  return name === undefined ? undefined : located(record, provider, name)
}

/** One whose making was begun, by its name: there may be all of it, a part, or nothing. */
export function locatePending(record: ProjectRecord | undefined, { computer, provider }: Wanted): Located | undefined {
  const holders = Object.entries(record?.providers ?? {}).filter(([id, { pending }]) => pending?.name === computer && (provider ?? id) === id)
  const id = holders.length === 1 ? holders[0]?.[0] : undefined
  return id === undefined || computer === undefined ? undefined : { provider: id, name: computer }
}

/** The user's choice; a record with computers of one provider alone has chosen by that. */
export function chosenProvider(record: ProjectRecord | undefined): string | undefined {
  if (!record) return undefined
  if (record.provider !== undefined) return record.provider
  const ids = Object.keys(record.providers)
  return ids.length === 1 ? ids[0] : undefined
}

function locateNamed(record: ProjectRecord, name: string, provider: string | undefined): Located | undefined {
  const ids = provider === undefined ? Object.keys(record.providers) : [provider]
  const holders = ids.filter((id) => Object.hasOwn(record.providers[id]?.computers ?? {}, name))
  if (holders.length > 1) {
    throw fail('conflict', `${name} is the name of a computer on ${holders.join(' and on ')}`, { hint: `Say which: -P ${holders[0]}` })
  }
  return holders[0] === undefined ? undefined : located(record, holders[0], name)
}

function located(record: ProjectRecord, provider: string, name: string): Located {
  const { workspace, worktrees, auto } = record.providers[provider]?.computers[name] ?? {}
  return { provider, name, ...(workspace === undefined ? {} : { workspace }), ...(worktrees === undefined ? {} : { worktrees }), ...(auto === undefined ? {} : { auto }) }
}

/**
 * For hot commands: the answer when there is no doubt whatever, else undefined, and then the ordinary way finds out
 * what the matter is.
 */
export function locateQuickly(from: string | undefined, state: string, wanted: Wanted): (Located & { readonly project: Project }) | undefined {
  try {
    const project = findProject(from)
    const found = inspect(project, state)
    if (!found.record || found.standing !== 'own') return undefined
    const one = locate(found.record, wanted)
    return one && { ...one, project }
  } catch {
    return undefined
  }
}
