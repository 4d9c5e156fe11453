import type { ContainerInspectInfo } from 'dockerode'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ConnectContext } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { fail, hasCode } from '../errors.ts'
import type { Meta } from '../meta.ts'
import { beside } from '../names.ts'
import { ensureKit } from '../run/kit.ts'
import { runBeside } from './beside.ts'
import { isReachable, noReach, type Root, rootOf } from './root.ts'

/** How what a computer has at `/` is reached: where the engine keeps it; or, for a reason, by images of it alone. */
export type Way = { readonly root: Root } | { readonly root: undefined; readonly because: string }

/** What an engine, a plugin of it, or the machine under it says to a program that may look at another container's disk. */
const REFUSALS = ['unauthorized', 'permission_denied', 'invalid_argument', 'unsupported', 'failed']

const ALLOWED = 'allowed'

const ways = new WeakMap<Client, Map<string, Promise<Way>>>()

/** Found out once for an engine: from then on it is taken to allow what it allowed. */
export function wayTo(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Way> {
  const known = ways.get(client) ?? new Map<string, Promise<Way>>()
  ways.set(client, known)
  const way = known.get(found.Id) ?? find(client, context, meta, found)
  known.set(found.Id, way)
  way.catch(() => known.delete(found.Id))
  return way
}

/** It refused after all. */
export async function forget(client: Client, context: ConnectContext, { Id }: Pick<ContainerInspectInfo, 'Id'>): Promise<void> {
  ways.get(client)?.delete(Id)
  await rm(fileOf(client, context), { force: true })
}

/** What an engine said, the last time that it refused. */
export async function refusal(client: Client, context: ConnectContext): Promise<string | undefined> {
  const said = await known(client, context)
  return said === ALLOWED ? undefined : said
}

export function refusedWords(said: string): string {
  return `its engine lets nothing look at a computer from outside: ${said}`
}

export function isRefusal(error: unknown): boolean {
  return hasCode(error, 'unauthorized', 'permission_denied')
}

async function find(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Way> {
  if (!isReachable(found)) return { root: undefined, because: noReach(found) }
  try {
    const root = await rootOf(client, context, meta, found)
    if (meta.replaced && root.layer) return { root: undefined, because: 'its container was made from an image of its disk, over which a layer of before does not fit' }
    if ((await known(client, context)) === ALLOWED) return { root }
    // What fails once may have had bad luck.
    await tryIt(client, context, meta, found, root).catch((error: unknown) => (hasCode(error, 'failed') ? tryIt(client, context, meta, found, root) : Promise.reject(error)))
    await keep(client, context, ALLOWED)
    return { root }
  } catch (error) {
    if (!hasCode(error, ...REFUSALS)) throw error
    const { message } = error as Error
    await keep(client, context, message)
    return { root: undefined, because: refusedWords(message) }
  }
}

async function tryIt(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo, root: Root): Promise<void> {
  const at = `${beside.disk}/system`
  await ensureKit(client, found.Id, meta, context.guest, context.progress)
  await runBeside(client, meta, context, {
    argv: [`${beside.tools}/amux-init`, 'reach', at],
    mounts: [{ Type: 'bind', Source: root.path, Target: at, ReadOnly: true }],
    shares: found.State.Running ? found : undefined,
    disk: 'read',
    failed: (words) => fail('permission_denied', words, { computer: meta.name }),
  })
}

function fileOf({ found }: Client, { dataDir }: ConnectContext): string {
  return join(dataDir, 'engines', createHash('sha256').update(found.address).digest('hex').slice(0, 16))
}

async function known(client: Client, context: ConnectContext): Promise<string | undefined> {
  try {
    return await readFile(fileOf(client, context), 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** What cannot be kept is found out again. */
async function keep(client: Client, context: ConnectContext, words: string): Promise<void> {
  const file = fileOf(client, context)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    .then(() => writeFile(file, words, { mode: 0o600 }))
    .catch(() => undefined)
}
