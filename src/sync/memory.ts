import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { paths } from '../config/index.ts'
import { writeAtomic } from '../util/atomic.ts'
import type { Seen } from './trees/tree.ts'

/** Branches, tags and HEAD by name. */
export type Refs = Readonly<Record<string, string>>

/** One file as both sides had it. */
export interface Remembered {
  readonly here: Seen
  readonly there: Seen
  readonly content?: string
}

/** What both sides were after the last sync. Kept by the user, not in the project: nobody else can change what is taken for known. */
export interface Memory {
  readonly version: 1
  /** RFC 3339, of the computer: another one of the same name is another one. */
  readonly createdAt: string
  readonly workspace: string
  readonly files: Readonly<Record<string, Remembered>>
  readonly refs?: { readonly here: Refs; readonly there: Refs }
}

/** A project here and a workspace there. */
export interface Places {
  /** The project's directory here. */
  readonly root: string
  readonly provider: string
  readonly computer: string
  /** Where it is on the computer, absolute. */
  readonly workspace: string
  readonly createdAt: string
}

export function memoryFile({ root, provider, computer }: Places): string {
  return join(paths().state, 'sync', `${computer}-${digest(provider, computer, root)}.json`)
}

/** The directory, in the project and in the workspace, for what is under way between just these two. */
export function scratchOf({ root, provider, computer }: Places): string {
  return `.amux/sync-${digest(provider, computer, root, hostname())}`
}

/** Undefined where there is none for these places, or none that can be understood: then contents are compared. */
export async function readMemory(places: Places): Promise<Memory | undefined> {
  const text = await readFile(memoryFile(places), 'utf8').catch(() => undefined)
  const memory = text === undefined ? undefined : parse(text)
  return memory?.createdAt === places.createdAt && memory.workspace === places.workspace ? memory : undefined
}

export async function writeMemory(places: Places, memory: Pick<Memory, 'files' | 'refs'>): Promise<void> {
  const whole: Memory = { version: 1, createdAt: places.createdAt, workspace: places.workspace, ...memory }
  await writeAtomic(memoryFile(places), JSON.stringify(whole))
}

function parse(text: string): Memory | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const sound = value instanceof Object && 'version' in value && value.version === 1 && 'files' in value && value.files instanceof Object
    // Written by this file alone, in a directory of the user's own.
    return sound ? (value as Memory) : undefined
  } catch {
    return undefined
  }
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
}
