import { lstatSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomic } from '../util/atomic.ts'
import { paths } from './paths.ts'

/** A fork that is being made, or was when amux was killed: what there is of the computer is no computer yet. */
export interface UnfinishedFork {
  readonly version: 1
  /** Random; a label of the computer says the same. */
  readonly id: string
  readonly origin: string
  readonly checkpoint: string
}

export function unfinishedFile(provider: string, computer: string): string {
  return join(paths().state, 'forks', provider, `${computer}.json`)
}

/** A note that cannot be read is one all the same. */
export async function unfinishedFork(provider: string, computer: string): Promise<UnfinishedFork | undefined> {
  const file = unfinishedFile(provider, computer)
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (isFork(value)) return value
  } catch {
    // As any other text that says nothing.
  }
  return { version: 1, id: '', origin: '', checkpoint: '' }
}

export async function noteUnfinished(provider: string, computer: string, fork: UnfinishedFork): Promise<void> {
  await writeAtomic(unfinishedFile(provider, computer), JSON.stringify(fork))
}

export async function forgetUnfinished(provider: string, computer: string): Promise<void> {
  await rm(unfinishedFile(provider, computer), { force: true })
}

function isFork(value: unknown): value is UnfinishedFork {
  return value instanceof Object && ['id', 'origin', 'checkpoint'].every((key) => key in value && typeof (value as Record<string, unknown>)[key] === 'string')
}
