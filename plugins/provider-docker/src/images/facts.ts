import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Client } from '../client.ts'
import { borrow, take } from '../engine/container.ts'
import { hasCode } from '../errors.ts'

type Rows = readonly (readonly string[])[]

/** What an image has that a new computer is seeded from. */
export interface Facts {
  readonly passwd: Rows
  readonly group: Rows
  readonly shadow: Rows
  /** A new user's files by their path at home, as base64. */
  readonly skeleton: Readonly<Record<string, string>>
}

/** An image never changes: what it has is kept by its id. To ask an engine takes it a while. */
export async function factsOf(client: Client, image: string, dataDir: string): Promise<Facts> {
  const file = join(dataDir, 'images', `${image.replace(/[^a-z0-9]/gi, '-')}.json`)
  const known = await read(file)
  if (known) return known
  const facts = await ask(client, image)
  await keep(file, facts)
  return facts
}

async function ask(client: Client, image: string): Promise<Facts> {
  const wanted = (name: string) => /^etc\/(passwd|group|shadow|skel\/.+)$/.test(name)
  const files = (await borrow(client, image, [], (id) => take(client, id, '/etc', wanted))) ?? new Map<string, Buffer>()
  const skeleton = [...files].filter(([name]) => name.startsWith('etc/skel/')).map(([name, content]) => [name.slice('etc/skel/'.length), content.toString('base64')] as const)
  const table = (name: string) => rowsOf(files.get(`etc/${name}`)?.toString() ?? '')
  return { passwd: table('passwd'), group: table('group'), shadow: table('shadow'), skeleton: Object.fromEntries(skeleton) }
}

function rowsOf(text: string): Rows {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))
}

async function read(file: string): Promise<Facts | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    // Written by `keep` alone.
    return value instanceof Object && 'passwd' in value && 'skeleton' in value ? (value as Facts) : undefined
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Worth having, no more: a full disk is told by what needs it. */
async function keep(file: string, facts: Facts): Promise<void> {
  const fresh = `${file}.${randomBytes(4).toString('hex')}`
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    .then(() => writeFile(fresh, JSON.stringify(facts), { mode: 0o600 }))
    .then(() => rename(fresh, file))
    .catch(() => undefined)
}
