import type { ContainerInspectInfo } from 'dockerode'
import type { Client } from '../client.ts'
import { borrow, discard, has, isComputer, lookAt } from '../engine/container.ts'
import { fail } from '../errors.ts'
import { type Begun, mayLive } from '../engine/maker.ts'
import { inspectImage } from '../images/image.ts'
import { readMeta } from '../meta.ts'
import { beside, inside, volumesOf } from '../names.ts'
import { type Left, leftovers, removeVolumes } from '../disk/volumes.ts'

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
