import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionState, TerminalSize } from '../../contract/index.ts'

const NAME = 'record.json'

/** What is known of a session on disk. The guest is its only writer. */
export interface Facts {
  readonly id: string
  readonly name?: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly user: string
  readonly size?: TerminalSize
  readonly pid: number
  readonly startedAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: SessionState
  /** Which run of the supervisor it belongs to. */
  readonly supervisor: string
  /** Stays listed after its end. */
  readonly kept: boolean
  /** Its end needs no record once an owner saw it. */
  readonly foreground: boolean
  /** Ends with its owner. */
  readonly tied: boolean
  /** Input that did not come from an owner. */
  readonly foreign: number
  /** Where its log begins, for each stream. */
  readonly base: readonly [number, number]
}

/** Made before the program is. On a full disk there is none: programs must run there, if only to make room. */
export function createRecord(root: string, facts: Facts): string {
  const dir = join(root, facts.id)
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    writeFileSync(join(dir, NAME), JSON.stringify(facts), { mode: 0o600 })
  } catch {
    // Whoever stays connected misses nothing.
  }
  return dir
}

/** Whole or not at all. A disk that is full keeps the older one. */
export function saveRecord(dir: string, facts: Facts): void {
  const path = join(dir, NAME)
  try {
    writeFileSync(`${path}.new`, JSON.stringify(facts), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch {
    forget(`${path}.new`)
  }
}

function forget(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It was never made.
  }
}

export function deleteRecord(dir: string): Promise<void> {
  return rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
}

/** Every session on disk. What cannot be read is no session: it was never begun or is half deleted. */
export function readRecords(root: string): { readonly dir: string; readonly facts: Facts }[] {
  const found: { dir: string; facts: Facts }[] = []
  for (const id of list(root)) {
    const dir = join(root, id)
    try {
      const facts: unknown = JSON.parse(readFileSync(join(dir, NAME), 'utf8'))
      if (isFacts(facts) && facts.id === id) found.push({ dir, facts })
    } catch {
      continue
    }
  }
  return found
}

/** How a program ended while no guest was there: the holder's note. */
export function readExit(dir: string): { readonly bySignal: boolean; readonly value: number } | undefined {
  try {
    const [, how, value] = /^(exited|killed) (\d+)/.exec(readFileSync(join(dir, 'exit'), 'utf8')) ?? []
    return how === undefined ? undefined : { bySignal: how === 'killed', value: Number(value) }
  } catch {
    return undefined
  }
}

/** When anything in it was last written, as far as the disk knows. */
export function lastWritten(dir: string): Date {
  const times = list(dir).map((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return new Date(Math.max(0, ...times))
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

function isFacts(value: unknown): value is Facts {
  const has = (key: string, type: string): boolean => value instanceof Object && typeof Reflect.get(value, key) === type
  return has('id', 'string') && has('argv', 'object') && has('state', 'object') && has('startedAt', 'string') && has('base', 'object')
}
