import type { ContainerInspectInfo } from 'dockerode'
import { rm } from 'node:fs/promises'
import type { ConnectContext } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { fail, hasCode } from '../errors.ts'
import type { Meta } from '../meta.ts'
import { lookAt } from '../engine/container.ts'
import { beside, changedOf } from '../names.ts'
import { ensureKit } from '../run/kit.ts'
import { runBeside } from './beside.ts'
import { note, noteOf, recall } from './notes.ts'
import { isReachable, isWhole, noReach, type Root, rootOf } from './root.ts'

/** How what a computer has at `/` is reached: where the engine keeps it; or, for a reason, by images of it alone. */
export type Way = { readonly root: Root } | { readonly root: undefined; readonly because: string }

/** What a runtime says, in words, of what its machine does not let it do. */
const FORBIDDEN = /permission denied|not permitted|not allowed|forbidden|denied by/i

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
  await rm(fileOf(client, context), { force: true }).catch(() => undefined)
}

/** What an engine said, the last time that it refused. */
export async function refusal(client: Client, context: ConnectContext): Promise<string | undefined> {
  const said = await recall(fileOf(client, context))
  return said === ALLOWED ? undefined : said
}

export function refusedWords(said: string): string {
  return `its engine lets nothing look at a computer from outside: ${said}`
}

/** By an engine, a plugin of it, or the machine under it. An engine that fails once is none. */
export function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return hasCode(error, 'unauthorized', 'permission_denied', 'unsupported') || (hasCode(error, 'failed', 'invalid_argument') && FORBIDDEN.test(error.message))
}

async function find(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Way> {
  if (!isReachable(found)) return { root: undefined, because: noReach(found) }
  if (meta.replaced && !isWhole(found)) return { root: undefined, because: 'it was restored that way before' }
  // What was begun one way goes on that way.
  if (await lookAt(client, changedOf(meta.name))) return { root: undefined, because: 'a restore that way is not over' }
  const said = await recall(fileOf(client, context))
  try {
    const root = await rootOf(client, context, meta, found)
    if (said === ALLOWED) return { root }
    await tryIt(client, context, meta, found, root)
    await note(fileOf(client, context), ALLOWED)
    return { root }
  } catch (error) {
    // Where it is can be seen only while it runs, and then not either.
    if (said !== undefined && said !== ALLOWED && hasCode(error, 'not_running')) return { root: undefined, because: refusedWords(said) }
    if (!isRefusal(error)) throw error
    await refused(client, context, error)
    return { root: undefined, because: refusedWords(error.message) }
  }
}

/** It is remembered for what is said of the engine; whether it is still so is found out each time. */
export async function refused(client: Client, context: ConnectContext, { message }: Error): Promise<void> {
  await note(fileOf(client, context), message)
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
  return noteOf(dataDir, 'engines', found.address)
}
