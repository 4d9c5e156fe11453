import type { ContainerInspectInfo } from 'dockerode'
import type { Client } from '../client.ts'
import { borrow, has, lookAt, takeSmall } from '../engine/container.ts'
import { readMeta } from '../meta.ts'
import { beside, changedOf, inside, volumesOf } from '../names.ts'

/** In the mark, once all that was to be changed is, on a copy of the disk. */
export const DONE = 'done'

/**
 * Whether a computer's disk is being changed from outside, or was not to the end: what stands there. Undefined for sure where
 * nothing does.
 */
export async function readMark(client: Client, found: ContainerInspectInfo): Promise<string | undefined> {
  const mark = await takeSmall(client, found.Id, inside.mark, DONE.length)
  // An engine cannot look into a container of which something that is mounted is gone, and says that there is no such file.
  if (mark !== undefined || found.State.Running || (await has(client, found.Id, inside.store))) return mark
  const name = found.Name.slice(1)
  const store = { Type: 'volume' as const, Source: volumesOf(name).store, Target: beside.guest }
  return borrow(client, readMeta(name, found.Config.Labels).image, [store], (id) => takeSmall(client, id, beside.mark, DONE.length))
}

/** The same of a computer that runs, because somebody else started it; or the change is done, on a copy alone. */
export async function isUnfinished(client: Client, found: ContainerInspectInfo, name: string): Promise<boolean> {
  const mark = await readMark(client, found)
  return mark !== undefined && (mark !== DONE || (await lookAt(client, changedOf(name))) !== undefined)
}
