import type { ContainerInspectInfo } from 'dockerode'
import { readFileSync } from 'node:fs'
import type { Client } from '../client.ts'
import { borrow, discard, has, isComputer, lookAt } from '../engine/container.ts'
import { fail, hasCode } from '../errors.ts'
import { inspectImage } from '../images/image.ts'
import { readMeta } from '../meta.ts'
import { beside, inside, LABEL, volumesOf } from '../names.ts'
import { type Left, leftovers, removeVolumes } from '../disk/volumes.ts'

/** Where one cannot look whether its maker lives: longer than any creation takes. */
const LONG_MS = 15 * 60_000

/** What this process makes now, and how often. */
const making = new Map<string, number>()

/** Its name is taken by us until the work is over. */
export async function whileMaking<T>(name: string, work: () => Promise<T>): Promise<T> {
  const count = (change: number) => making.set(name, (making.get(name) ?? 0) + change)
  count(1)
  try {
    return await work()
  } finally {
    count(-1)
  }
}

/** This process, so that others know whether it lives. */
export function maker(): string {
  return [bootId(), process.pid, startOf(process.pid)].join(' ')
}

/**
 * What somebody was killed over before it was filled is removed: nothing ever ran on it, and nobody can say any more
 * what it was to get. `locked` while its maker may still be at work.
 */
export async function clearUnfinished(client: Client, name: string): Promise<There> {
  const container = await lookAt(client, name)
  const mine = container !== undefined && isComputer(container, name)
  const left = mine ? undefined : await leftovers(client, name)
  const begun = mine ? await begunContainer(client, container) : left && (await begunVolumes(client, name, left))
  if (begun === undefined) return { container, left }
  if (mayLive(begun)) throw fail('locked', `${name} is being created`, { computer: name, hint: 'Try again when that is done.' })
  if (mine) await discard(client, container.Id)
  await removeVolumes(client, name)
  return { container: await lookAt(client, name), left: await leftovers(client, name) }
}

/** What has a name: a container of whomever; where that is not ours, volumes of ours. */
interface There {
  readonly container: ContainerInspectInfo | undefined
  readonly left: Left | undefined
}

interface Begun {
  readonly labels: Readonly<Record<string, string>>
  /** By the engine's clock. */
  readonly created: string
}

/** What it gets last, before its first start, is its environment. */
async function begunContainer(client: Client, { Id, State, Config: { Labels: labels }, Created: created }: ContainerInspectInfo): Promise<Begun | undefined> {
  if (State.Status !== 'created' || (await has(client, Id, inside.env))) return undefined
  return { labels, created }
}

/** Its volumes are there before its container, and the vault after that. One whose container somebody removed has more. */
async function begunVolumes(client: Client, name: string, left: Left): Promise<Begun | undefined> {
  if (left.roles.includes('vault') || !left.roles.includes('store')) return undefined
  const begun = { labels: left.labels, created: left.created }
  if (!left.roles.includes('home')) return begun
  const image = (await inspectImage(client, readMeta(name, left.labels).image))?.Id
  if (image === undefined) return undefined
  const filled = await borrow(client, image, [{ Type: 'volume', Source: volumesOf(name).store, Target: beside.guest }], (id) => has(client, id, beside.guest + inside.env.slice(inside.store.length)))
  return filled ? undefined : begun
}

/** Whether who made it may still be at work on it. */
export function mayLive({ labels, created }: Begun): boolean {
  const [boot, pid, start] = (labels[LABEL.maker] ?? '').split(' ')
  if (boot === undefined || boot === '' || boot !== bootId()) return Date.now() - Date.parse(created) < LONG_MS
  if (Number(pid) === process.pid) return (making.get(labels[LABEL.of] ?? '') ?? 0) > 0
  return start !== '' && startOf(Number(pid)) === start
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id').trim()
}

/** Empty where there is none. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ESRCH', 'EACCES')) return ''
    throw error
  }
}
