import { accessSync, constants, lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Project, RECORD } from './find.ts'
import { type OwnEntry, readOwn } from './own.ts'
import { type ProjectRecord, corrupt, readRecord } from './record.ts'

/**
 * `own`: the user's, at its place. `moved`: the user's, the directory has a new path. `copied`: the old path is still
 * there with the same record. `foreign`: it came from elsewhere, with a commit or from another machine.
 */
export type Standing = 'own' | 'moved' | 'copied' | 'foreign'

export type Inspection =
  | { readonly file: string; readonly record?: undefined; readonly own?: undefined }
  | { readonly file: string; readonly record: ProjectRecord; readonly own: OwnEntry | undefined; readonly standing: Standing }

/** Reads, changes nothing. Cheap enough for every command. */
export function inspect(project: Project, state: string): Inspection {
  const file = recordFile(project, state)
  const record = readRecord(file)
  if (!record) return { file }
  const own = readOwn(state, record.id)
  return { file, record, own, standing: standing(project, record, own, file) }
}

function standing(project: Project, record: ProjectRecord, own: OwnEntry | undefined, file: string): Standing {
  if (!own || !own.paths.includes(record.path) || !known(record, own)) return 'foreign'
  if (record.path === project.root) return 'own'
  return holdsSame(join(record.path, RECORD), record.id, file) ? 'copied' : 'moved'
}

function known(record: ProjectRecord, own: OwnEntry): boolean {
  return computersOf(record).every((computer) => own.computers.includes(computer))
}

/** `provider/computer`, all of them. */
export function computersOf(record: ProjectRecord): string[] {
  return Object.entries(record.providers).flatMap(([provider, entry]) => {
    const names = [...Object.keys(entry.computers), ...(entry.pending ? [entry.pending.name] : [])]
    return names.map((name) => `${provider}/${name}`)
  })
}

/** The same file under two names (a bind mount) is no copy. */
function holdsSame(other: string, id: string, file: string): boolean {
  const [there, here] = [statSync(other, { throwIfNoEntry: false }), statSync(file, { throwIfNoEntry: false })]
  if (!there || (there.dev === here?.dev && there.ino === here.ino)) return false
  try {
    return readRecord(other)?.id === id
  } catch {
    return false
  }
}

/** In the project; in the user's own state while the project cannot be written. */
export function recordFile(project: Project, state: string): string {
  const dir = join(project.root, '.amux')
  const stat = lstatSync(dir, { throwIfNoEntry: false })
  if (stat && !stat.isDirectory()) throw corrupt(dir, 'is not a directory', 'amux keeps its project record in there: move it away.')
  const inside = join(project.root, RECORD)
  if (stat && exists(inside)) return inside
  const outside = join(state, 'records', `${digest(project.root)}.json`)
  if (lstatSync(outside, { throwIfNoEntry: false })) return outside
  return writable(stat ? dir : project.root) ? inside : outside
}

/** What cannot be looked at is there: reading it then says why. */
function exists(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

/** Loaded here only: a command on a recorded project does without. */
function digest(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function writable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK)
    return true
  } catch {
    return false
  }
}
