import { createHmac, randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AmuxError } from '../contract/index.ts'
import { fail, hasCode, normalise } from '../errors/index.ts'
import { writeAtomic } from '../util/atomic.ts'
import { type LockOptions, withLock } from '../util/lock.ts'
import { type Project, RECORD } from './find.ts'
import { type Inspection, computersOf, inspect, recordFile } from './inspect.ts'
import { type OwnEntry, ownFile, readOwn } from './own.ts'
import { type ProjectRecord, isRepairable } from './record.ts'

/** A project's record that is safe to act on, and the only way to change it. */
export interface ProjectStore {
  readonly project: Project
  readonly file: string
  /** The record is in the user's own state, because the project cannot be written. */
  readonly outside: boolean
  read(): ProjectRecord | undefined
  /** Other directories that share the record's computers: the user said so of a copy. */
  elsewhere(): readonly string[]
  /** The user's own side of a record with this id was for a project at this place. */
  wasHere(id: string): boolean
  /** Reads, edits and writes under a lock. `edit` gets a fresh record when there is none. */
  change(edit: (record: ProjectRecord) => ProjectRecord): Promise<ProjectRecord>
  /** Keeps other processes from making or deleting this project's computers meanwhile. */
  exclusively<T>(work: () => Promise<T>, options?: LockOptions): Promise<T>
  /** A digest that says nothing about the text to whoever reads the record. */
  digest(text: string): Promise<string>
}

export interface SettleOptions {
  /** Asks the user whether a record somebody else wrote may be used; throws `confirmation_required` on a no. */
  readonly confirm?: ((question: string) => Promise<void>) | undefined
  /** What the user said about a copied project: use the original's computers too. */
  readonly share?: boolean
  /** What the user said about a copied or foreign record: begin anew, leave it. */
  readonly fresh?: boolean
  /** Told from where the project was moved to here; a computer that runs has it there until it is restarted. */
  moved?(from: string): void
  /** Begin anew where the record cannot be followed, unless it names this computer: then it is the record's own question. */
  readonly unless?: string
}

/** Reads the record and settles whose it is. A moved project is noted; a copy or a stranger's record is never used unasked. */
export async function openProject(project: Project, state: string, options: SettleOptions = {}): Promise<ProjectStore> {
  const found = await soundly(project, state, options)
  const store = makeStore(project, state, found.file)
  if (!found.record || found.standing === 'own') return store
  const { record } = found
  if (found.standing !== 'moved' && (options.fresh || isAnother(record, options.unless))) {
    await store.replace(freshRecord(project))
    return store
  }
  if (found.standing === 'copied' && !options.share) throw copied(project, record)
  if (found.standing === 'foreign') await confirmForeign(found.file, record, options)
  await store.settle({ ...record, path: project.root }, found.standing === 'moved' ? record.path : undefined)
  if (found.standing === 'moved') options.moved?.(record.path)
  return store
}

/** A record that is no record is put aside, its bytes untouched, if the user chooses anew and agrees. */
async function soundly(project: Project, state: string, { unless, confirm }: SettleOptions): Promise<Inspection> {
  try {
    return inspect(project, state)
  } catch (error) {
    if (unless === undefined || confirm === undefined || !isRepairable(error)) throw error
    const file = recordFile(project, state)
    const aside = `${file}.broken-${Date.now()}`
    await confirm(`${hasCode(error, 'corrupt') ? normalise(error).message : file}. Move it to ${aside} and begin a new one?`)
    await rename(file, aside)
    return inspect(project, state)
  }
}

function isAnother(record: ProjectRecord, name: string | undefined): boolean {
  return name !== undefined && !computersOf(record).some((computer) => computer.endsWith(`/${name}`))
}

/** Why a record that is there may not be followed before the user said so. */
export function doubt(project: Project, found: Inspection): AmuxError | undefined {
  if (!found.record || found.standing === 'own' || found.standing === 'moved') return undefined
  return found.standing === 'copied' ? copied(project, found.record) : foreign(found.file, found.record)
}

function copied(project: Project, record: ProjectRecord): AmuxError {
  return fail('conflict', `${project.root} looks like a copy of ${record.path}, and its record names that project's computers`, {
    hint: 'Give the copy its own: amux computer create --new. Or use the same: amux computer use --share.',
  })
}

async function confirmForeign(file: string, record: ProjectRecord, options: SettleOptions): Promise<void> {
  if (!options.confirm) throw foreign(file, record)
  return options.confirm(`${file} was not written by you on this machine. It names ${namesOf(record)}. Use it?`)
}

function namesOf(record: ProjectRecord): string {
  return computersOf(record).join(', ') || 'no computer'
}

function foreign(file: string, record: ProjectRecord): AmuxError {
  return fail('confirmation_required', `${file} was not written by you on this machine; it names ${namesOf(record)}`, {
    hint: 'Trust it: amux computer use --yes. Or begin anew: amux computer create --new. Or name a computer: -c NAME.',
  })
}

function freshRecord(project: Project): ProjectRecord {
  return { version: 1, id: randomBytes(16).toString('hex'), path: project.root, providers: {} }
}

interface Inner extends ProjectStore {
  replace(record: ProjectRecord): Promise<void>
  settle(record: ProjectRecord, from: string | undefined): Promise<void>
}

function makeStore(project: Project, state: string, file: string): Inner {
  const lock = `${file}.lock`
  const read = () => inspect(project, state).record

  /** The user's side first: a record without it would be a stranger's. */
  async function write(record: ProjectRecord, from?: string): Promise<void> {
    const own = ownEntry(readOwn(state, record.id), record, from)
    await writeAtomic(ownFile(state, record.id), `${JSON.stringify(own, undefined, 2)}\n`)
    await makeDirectory(file)
    await writeAtomic(file, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o644 })
  }

  async function locked<T>(work: () => Promise<T>): Promise<T> {
    try {
      await makeDirectory(file)
      return await withLock(lock, work, { limit: 30_000 })
    } catch (error) {
      throw named(file, error)
    }
  }

  return {
    project,
    file,
    outside: file !== join(project.root, RECORD),
    read,
    elsewhere: () => (inspect(project, state).own?.paths ?? []).filter((path) => path !== project.root),
    wasHere: (id) => readOwn(state, id)?.paths.includes(project.root) === true,
    change: (edit) =>
      locked(async () => {
        const record = edit(read() ?? freshRecord(project))
        await write(record)
        return record
      }),
    replace: (record) => locked(() => write(record)),
    settle: (record, from) => settleQuietly(() => locked(() => write(record, from)), from),
    exclusively: async (work, options) => {
      let entered = false
      const inside = () => {
        entered = true
        return work()
      }
      try {
        await makeDirectory(file)
        return await withLock(`${file}.busy`, inside, options)
      } catch (error) {
        throw entered ? error : named(file, error)
      }
    },
    digest: async (text) => {
      const { id } = read() ?? (await locked(async () => begin()))
      return createHmac('sha256', readOwn(state, id)?.key ?? '').update(text).digest('hex').slice(0, 32)
    },
  }

  async function begin(): Promise<ProjectRecord> {
    const record = read() ?? freshRecord(project)
    await write(record)
    return record
  }
}

/** A move on a medium that cannot be written is found again next time: that is all the difference. */
async function settleQuietly(write: () => Promise<void>, movedFrom: string | undefined): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (movedFrom === undefined || normalise(error).code !== 'permission_denied') throw error
  }
}

function ownEntry(before: OwnEntry | undefined, record: ProjectRecord, from: string | undefined): OwnEntry {
  const paths = (before?.paths ?? []).filter((path) => path !== from)
  const computers = [...new Set([...(before?.computers ?? []), ...computersOf(record)])]
  return {
    version: 1,
    id: record.id,
    paths: [...new Set([...paths, record.path])],
    computers,
    key: before?.key ?? randomBytes(32).toString('hex'),
  }
}

/** `.amux/` keeps itself out of git, whatever the project ignores. */
async function makeDirectory(file: string): Promise<void> {
  const dir = dirname(file)
  const inProject = file.endsWith(RECORD)
  await mkdir(dir, { recursive: true, mode: inProject ? 0o755 : 0o700 })
  if (!inProject) return
  await writeFile(join(dir, '.gitignore'), '*\n', { flag: 'wx', mode: 0o644 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
}

function named(file: string, cause: unknown): Error {
  const error = normalise(cause)
  const aside = ['locked', 'aborted', 'timeout', 'corrupt'].includes(error.code) || error.message.includes(file)
  return aside ? error : fail(error.code, `${file} cannot be written: ${error.message}`, { cause })
}
