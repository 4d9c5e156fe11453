import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ComputerUser, ProjectPlace } from '../../../src/contract/index.ts'
import { fail, hasCode } from './errors.ts'
import type { Layout } from './layout.ts'

export type Tier = 'root' | 'user'

export type Project = ProjectPlace

/** Recorded when it was made. */
export interface OwnNetwork {
  readonly access: 'open' | 'none'
  /** Of this machine's loopback. */
  readonly hostPorts?: readonly number[]
}

/** What is known about a computer while it does not run. */
export interface Meta {
  readonly schema: 1
  readonly name: string
  readonly createdAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly tier: Tier
  readonly user: ComputerUser
  readonly project?: Project
  /** A fork: the project's trees are copies of its own, at the same paths. */
  readonly copied?: boolean
  /** The root file system it starts from, when it is not the machine's own. */
  readonly root?: string
  /** State of the package database below it when it started last. */
  readonly packages?: string
  /** Absent: this machine's, as of every computer that was made before they had their own. */
  readonly network?: OwnNetwork
}

/** `not_found` when there is no such computer, `corrupt` when its record cannot be understood. */
export async function readMeta(place: Layout): Promise<Meta> {
  let text: string
  try {
    text = await readFile(place.meta, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT') && !(await exists(place.dir))) throw missing(place.name)
    throw corrupt(place, hasCode(error, 'ENOENT') ? 'is missing' : `cannot be read: ${String(error)}`)
  }
  const meta = parse(text)
  if (meta === undefined) throw corrupt(place, 'is no record of a computer')
  if (meta.schema !== 1) throw corrupt(place, `was written by a newer amux (schema ${String(meta.schema)})`)
  return meta
}

function parse(text: string): Meta | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMeta(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMeta(value: unknown): value is Meta {
  if (typeof value !== 'object' || value === null) return false
  const record: Partial<Record<keyof Meta, unknown>> = value
  if (typeof record.schema !== 'number') return false
  if (record.schema !== 1) return true
  const user = record.user
  return (
    typeof record.name === 'string' &&
    typeof record.createdAt === 'string' &&
    typeof record.labels === 'object' &&
    record.labels !== null &&
    (record.tier === 'root' || record.tier === 'user') &&
    typeof user === 'object' &&
    user !== null &&
    'uid' in user &&
    'home' in user
  )
}

export async function writeMeta(place: Layout, meta: Meta): Promise<void> {
  await writeWhole(place.meta, `${JSON.stringify(meta, null, 2)}\n`)
}

/** 0600, and either the old bytes or the new ones, also after a power cut. What is there already is not written again: a full disk may not let us. */
export async function writeWhole(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return
  const next = join(dirname(path), `.${randomBytes(6).toString('hex')}.new`)
  try {
    const file = await open(next, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(next, path)
  } catch (error) {
    await rm(next, { force: true })
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return open(path, 'r').then(
    async (file) => (await file.close(), true),
    (error: unknown) => !hasCode(error, 'ENOENT'),
  )
}

export function missing(name: string) {
  return fail('not_found', `there is no local computer ${name}`, { computer: name, hint: 'See what there is: amux computer ls' })
}

function corrupt(place: Layout, what: string) {
  return fail('corrupt', `${place.meta} ${what}`, {
    computer: place.name,
    hint: `The computer's disk is untouched in ${place.disk}. Put the file back, or remove the computer: amux computer rm -c ${place.name}`,
  })
}
