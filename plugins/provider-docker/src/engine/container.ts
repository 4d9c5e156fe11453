import type { ContainerInfo, ContainerInspectInfo, MountSettings } from 'dockerode'
import type { Client } from '../client.ts'
import { fail, hasCode, statusOf } from '../errors.ts'
import { isOurs, marks } from '../meta.ts'
import { leftovers } from '../disk/volumes.ts'
import { maker } from './maker.ts'
import { LABEL } from '../names.ts'
import { filesOf, tarOf, type TarEntry } from './tar.ts'

/** Where a machine labels files, none of this machine's or of another container's can be reached with that on. Elsewhere it says nothing. */
export const UNLABELLED = ['label=disable']

/** What the engine says of a computer's container; undefined where there is none. One that amux did not make is none. */
export async function look(client: Client, name: string): Promise<ContainerInspectInfo | undefined> {
  const found = await lookAt(client, name)
  return found && isComputer(found, name) ? found : undefined
}

/** One of amux's that somebody has given another name is not that one. */
export function isComputer({ Config: { Labels: labels } }: Pick<ContainerInspectInfo, 'Config'>, name: string): boolean {
  return isOurs(labels) && labels[LABEL.of] === name
}

/** All that say they are of that name, whatever they are called. */
export function computersOf(client: Client, name: string): Promise<ContainerInfo[]> {
  return client.call((docker) => docker.listContainers({ all: true, filters: { label: [`${LABEL.of}=${name}`, `${LABEL.role}=computer`] } }))
}

/** Whoever made it. */
export async function lookAt(client: Client, name: string): Promise<ContainerInspectInfo | undefined> {
  try {
    return await client.call((docker) => docker.getContainer(name).inspect())
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined
    throw error
  }
}

export async function mustLook(client: Client, name: string): Promise<ContainerInspectInfo> {
  const found = await look(client, name)
  if (found) return found
  throw (await leftovers(client, name)) ? fail('failed', `the container of ${name} is gone, or somebody has given it another name`, { computer: name, hint: `See what there is, and what to do: amux computer info -c ${name}` }) : missing(name)
}

export function missing(name: string): Error {
  return fail('not_found', `there is no Docker computer ${name}`, { computer: name, hint: 'See what there is: amux computer ls' })
}

/** Unpacks into a container, also one that does not run, and into its volumes. */
export async function put(client: Client, id: string, path: string, entries: readonly TarEntry[], signal?: AbortSignal): Promise<void> {
  await client.call(async (docker) => docker.getContainer(id).putArchive(tarOf(entries), { path, ...(signal && { abortSignal: signal }) }), signal)
}

/** A file's content, or those of a directory by their path below its parent. Undefined where there is none. */
export async function take(client: Client, id: string, path: string, wanted: (name: string) => boolean = () => true): Promise<ReadonlyMap<string, Buffer> | undefined> {
  try {
    return await client.call(async (docker) => filesOf(await docker.getContainer(id).getArchive({ path }), wanted))
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined
    throw error
  }
}

export async function takeFile(client: Client, id: string, path: string): Promise<string | undefined> {
  const files = await take(client, id, path)
  return files?.values().next().value?.toString()
}

/** Whether there is something at that path. */
export async function has(client: Client, id: string, path: string): Promise<boolean> {
  return (await stat(client, id, path)) !== undefined
}

/** Where a symbolic link leads to; undefined where there is none. */
export async function linkOf(client: Client, id: string, path: string): Promise<string | undefined> {
  return (await stat(client, id, path))?.linkTarget
}

/** When it was written, in milliseconds; undefined where there is nothing. */
export async function writtenAt(client: Client, id: string, path: string): Promise<number | undefined> {
  const found = await stat(client, id, path)
  return found && Date.parse(found.mtime ?? '')
}

/** A file that the computer may have made anything of. */
export async function takeSmall(client: Client, id: string, path: string, most: number): Promise<string | undefined> {
  const { size = most + 1 } = (await stat(client, id, path)) ?? {}
  return size > most ? undefined : takeFile(client, id, path)
}

interface Stat {
  readonly linkTarget?: string
  readonly size?: number
  /** RFC 3339. */
  readonly mtime?: string
}

/** It costs an engine next to nothing, unlike the file's content. */
async function stat(client: Client, id: string, path: string): Promise<Stat | undefined> {
  try {
    // A response, whose types say nothing.
    const { headers } = (await client.call(async (docker) => docker.getContainer(id).infoArchive({ path }))) as { readonly headers: Readonly<Record<string, string>> }
    return JSON.parse(Buffer.from(headers['x-docker-container-path-stat'] ?? 'e30=', 'base64').toString()) as Stat
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined
    throw error
  }
}

/** Lends a container that never runs: an engine reads an image, and fills a volume, only by way of one. */
export async function borrow<T>(client: Client, image: string, mounts: readonly MountSettings[], work: (id: string) => Promise<T>): Promise<T> {
  const { id } = await client.call((docker) => docker.createContainer({ Image: image, Entrypoint: ['/none'], Labels: { ...marks('kit', 'kit'), [LABEL.maker]: maker() }, NetworkDisabled: true, HostConfig: { Mounts: [...mounts] } }))
  try {
    return await work(id)
  } finally {
    await discard(client, id)
  }
}

/** With everything anonymous of it; one that is gone already is no failure. */
export async function discard(client: Client, id: string): Promise<void> {
  try {
    await client.call((docker) => docker.getContainer(id).remove({ force: true, v: true }))
  } catch (error) {
    // Somebody else removes it this moment.
    if (hasCode(error, 'conflict')) return gone(client, id)
    if (!hasCode(error, 'not_found')) throw error
  }
}

async function gone(client: Client, id: string): Promise<void> {
  await client.call((docker) => docker.getContainer(id).wait({ condition: 'removed' })).catch((error: unknown) => {
    if (statusOf(error) !== 404) throw error
  })
}
