import { type Stats, lstatSync, readFileSync } from 'node:fs'
import { fail, isAmuxError } from '../errors/index.ts'

export const RECORD_VERSION = 1
const LARGEST = 1024 * 1024

/** What a computer was asked to be, one digest per kind of option; nothing of it can be read back. */
export type Config = Readonly<Record<string, string>>

/** Before each program that `run` starts. */
export type AutoCheckpoint = 'before-run'

export interface ComputerEntry {
  /** RFC 3339. */
  readonly createdAt: string
  /** When it was made, as its provider says: another one of its name is another one. */
  readonly madeAt?: string
  /** Where the project's files are on it. */
  readonly workspace?: string
  /** The project's other worktrees that it has, with the identity of each directory at the time. */
  readonly worktrees?: Readonly<Record<string, string>>
  readonly config?: Config
  /** When checkpoints are made by themselves. */
  readonly auto?: AutoCheckpoint
  /** Taken in with `use --adopt`: amux did not make it. */
  readonly adopted?: boolean
}

export interface ProviderEntry {
  /** A key of `computers`. */
  readonly current?: string
  readonly computers: Readonly<Record<string, ComputerEntry>>
  /** Being made, or was when amux was killed: the next `create` finishes it. */
  readonly pending?: ComputerEntry & { readonly name: string }
}

/** `.amux/computer.json`. */
export interface ProjectRecord {
  readonly version: typeof RECORD_VERSION
  /** Random; what ties the record to the user's own state. */
  readonly id: string
  /** The project's root when it was written. */
  readonly path: string
  /** The provider the user chose. */
  readonly provider?: string
  /** The agent that ran last. */
  readonly agent?: string
  readonly providers: Readonly<Record<string, ProviderEntry>>
}

/** Undefined only when there is no such file. What cannot be understood is `corrupt`, and stays as it is. */
export function readRecord(file: string): ProjectRecord | undefined {
  return readJson(file, isRecord)
}

/** One of amux's own JSON files. */
export function readJson<T>(file: string, valid: (value: unknown) => value is T): T | undefined {
  const stat = look(file)
  if (!stat) return undefined
  if (!stat.isFile()) throw corrupt(file, `is ${kind(stat)}, not a file`)
  if (stat.size > LARGEST) throw corrupt(file, 'is far too large')
  const value = parse(file)
  if (value instanceof Object && 'version' in value && typeof value.version === 'number' && value.version > RECORD_VERSION) {
    throw corrupt(file, 'was written by a newer amux', 'Update amux.')
  }
  if (!valid(value)) throw corrupt(file, 'does not have the expected fields')
  return value
}

function look(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false })
  } catch (error) {
    throw corrupt(file, `cannot be read (${reason(error)})`, 'Give yourself access to it.')
  }
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw corrupt(file, 'is not JSON')
    throw corrupt(file, `cannot be read (${reason(error)})`, 'Give yourself access to it.')
  }
}

const REPAIR = 'Choose again, which moves it aside: amux computer use NAME. Which there are: amux computer ls'

/** Nothing but damaged: what a newer amux wrote, or what cannot be read, is not. */
export function isRepairable(error: unknown): boolean {
  return isAmuxError(error) && error.code === 'corrupt' && error.hint === REPAIR
}

export function corrupt(file: string, what: string, hint = REPAIR): Error {
  return fail('corrupt', `${file} ${what}; it was left as it is`, { hint })
}

function reason(error: unknown): string {
  if (isAmuxError(error)) return error.message
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function kind(stat: Stats): string {
  if (stat.isDirectory()) return 'a directory'
  return stat.isSymbolicLink() ? 'a link' : 'a special file'
}

function isRecord(value: unknown): value is ProjectRecord {
  if (!isTable(value) || value['version'] !== RECORD_VERSION) return false
  const { id, path, provider, agent, providers } = value
  if (typeof id !== 'string' || !/^[a-z0-9]{16,64}$/u.test(id) || typeof path !== 'string') return false
  if (!optionalText(provider) || !optionalText(agent)) return false
  return isTable(providers) && Object.values(providers).every(isProviderEntry)
}

function isProviderEntry(value: unknown): value is ProviderEntry {
  if (!isTable(value)) return false
  const { computers, current, pending } = value
  if (!isTable(computers) || !Object.values(computers).every(isComputerEntry) || !optionalText(current)) return false
  if (current !== undefined && !Object.hasOwn(computers, current)) return false
  return pending === undefined || (isComputerEntry(pending) && 'name' in pending && typeof pending.name === 'string')
}

function isComputerEntry(value: unknown): value is ComputerEntry {
  if (!isTable(value) || typeof value['createdAt'] !== 'string' || !optionalText(value['workspace']) || !optionalText(value['madeAt'])) return false
  const { config, adopted, worktrees, auto } = value
  if (adopted !== undefined && typeof adopted !== 'boolean') return false
  if (auto !== undefined && auto !== 'before-run') return false
  return optionalTexts(config) && optionalTexts(worktrees)
}

function optionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function optionalTexts(value: unknown): boolean {
  return value === undefined || (isTable(value) && Object.values(value).every((text) => typeof text === 'string'))
}

function isTable(value: unknown): value is Record<string, unknown> {
  return value instanceof Object && !Array.isArray(value)
}
