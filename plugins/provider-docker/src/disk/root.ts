import type { ContainerInspectInfo } from 'dockerode'
import { join } from 'node:path'
import type { ConnectContext } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { runBeside } from './beside.ts'
import { note, recall } from './notes.ts'
import { fail } from '../errors.ts'
import type { Meta } from '../meta.ts'
import { beside } from '../names.ts'
import { ensureKit } from '../run/kit.ts'

/** Where an engine, by its own paths, keeps what is at a container's `/`. */
export interface Root {
  readonly path: string
  /** It is what was written over the image, as in the upper directory of an overlay; else all there is. */
  readonly layer: boolean
}

type Driven = Pick<ContainerInspectInfo, 'GraphDriver'>

/** Where engines that keep whole trees have them, below their own directory. */
const WHOLE = /\/(vfs\/dir|btrfs\/subvolumes)\/[0-9a-f]{64}$/
/** Of containerd. The path is taken from nobody else: whoever could give another would have it mounted. */
const SNAPSHOT = /^\/.*\/io\.containerd\.snapshotter\.v1\.overlayfs\/snapshots\/\d+\/fs$/

/** What an engine says of itself; those that keep an overlay's layers by themselves do. */
function told({ GraphDriver: driver }: Driven): Root | undefined {
  const upper: unknown = (driver?.Data as Readonly<Record<string, unknown>> | null | undefined)?.['UpperDir']
  return typeof upper === 'string' && upper.startsWith('/') ? { path: upper, layer: true } : undefined
}

/** Whether `rootOf` can find it. */
export function isReachable(found: Driven): boolean {
  return told(found) !== undefined || ['vfs', 'btrfs', 'overlayfs'].includes(driverOf(found))
}

/** Whether an engine keeps all that is at a container's `/` in one place, and nothing lies below it. */
export function isWhole(found: Driven): boolean {
  return ['vfs', 'btrfs'].includes(driverOf(found))
}

export function noReach(found: Driven): string {
  return `its engine keeps containers by ${driverOf(found)}, where nothing from outside finds them`
}

/** Newer engines that leave it to containerd say only that, and not always here. */
function driverOf({ GraphDriver: driver, ...found }: Driven): string {
  const { Storage: storage } = found as { readonly Storage?: { readonly RootFS?: { readonly Snapshot?: { readonly Name?: string } } } }
  return driver?.Name ?? storage?.RootFS?.Snapshot?.Name ?? 'an unknown driver'
}

/** Where the engine does not say it, finding it takes that the container runs; it is known from then on. */
export async function rootOf(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Root> {
  const root = told(found) ?? (await known(context, found.Id))
  if (root) return root
  if (isReachable(found) && !found.State.Running) throw fail('not_running', `where the disk of ${meta.name} is can be seen only while it runs`, { computer: meta.name, hint: `Start it once: amux computer start -c ${meta.name}` })
  const seen = isReachable(found) ? await look(client, context, meta, found) : undefined
  if (seen === undefined) throw fail('unsupported', `what is on the disk of ${meta.name} cannot be reached from outside: ${noReach(found)}`, { computer: meta.name })
  await note(fileOf(context, found.Id), JSON.stringify(seen))
  return seen
}

/** The same of a container that was made just now and that nobody else starts. Until it is told more its first process waits. */
export async function rootOfNew(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Root> {
  if (told(found) ?? (await known(context, found.Id))) return rootOf(client, context, meta, found)
  const container = (await client.docker()).getContainer(found.Id)
  await client.call(() => container.start())
  try {
    return await rootOf(client, context, meta, await client.call(() => container.inspect()))
  } finally {
    await client.call(() => container.kill()).catch(() => undefined)
  }
}

async function look(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Root | undefined> {
  await ensureKit(client, found.Id, meta, context.guest, context.progress)
  const failed = (words: string) => fail('failed', `nothing can look at the disk of ${meta.name}: ${words}`, { computer: meta.name })
  const line = await runBeside(client, meta, context, { argv: [`${beside.tools}/amux-init`, 'root', '/proc/1/mountinfo'], mounts: [], shares: found, failed })
  const { DockerRootDir: home } = (await client.call((docker) => docker.info())) as { readonly DockerRootDir: string }
  return rootIn(line, home)
}

/** From a line of a mountinfo. `home`: the engine's own directory. */
export function rootIn(line: string, home: string): Root | undefined {
  const [before = '', after = ''] = line.trim().split(' - ')
  const plain = (text: string) => text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  const upper = /(?:^|,)upperdir=([^,]+)/.exec(after.split(' ')[2] ?? '')?.[1]
  if (upper !== undefined) return SNAPSHOT.test(plain(upper)) ? { path: plain(upper), layer: true } : undefined
  const whole = WHOLE.exec(plain(before.split(' ')[3] ?? ''))?.[0]
  return whole === undefined ? undefined : { path: home + whole, layer: false }
}

function fileOf({ dataDir }: ConnectContext, id: string): string {
  return join(dataDir, 'roots', `${id}.json`)
}

async function known(context: ConnectContext, id: string): Promise<Root | undefined> {
  const text = await recall(fileOf(context, id))
  try {
    // Written by `rootOf` alone. A container's place never changes.
    return text === undefined ? undefined : (JSON.parse(text) as Root)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
