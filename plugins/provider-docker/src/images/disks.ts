import type { Client } from '../client.ts'
import { follow } from '../engine/progress.ts'
import { fail, hasCode } from '../errors.ts'
import { DISK_IMAGE, LABEL } from '../names.ts'
import { inspectImage } from './image.ts'

/** An engine takes no image of more than 125 layers, and each change of a disk is two. */
const MOST_LAYERS = 100

/** An image of all that a container has at `/`, volumes and mounts left out. `named`: it is to be a computer's. Its id. */
export async function commit(client: Client, id: string, name: string, named?: 'named', most = MOST_LAYERS): Promise<string> {
  // A label cannot be taken away from an image, only emptied.
  const labels = { [LABEL.role]: 'disk', [LABEL.of]: name, [LABEL.meta]: '', [LABEL.maker]: '' }
  const changes = Object.entries(labels).map(([key, value]) => `LABEL ${quoted(key)}=${quoted(value)}`)
  const tag = named && { repo: DISK_IMAGE, tag: name }
  // Its types say nothing.
  const { Id: image } = (await client.call((docker) => docker.getContainer(id).commit({ ...tag, pause: true, changes }))) as { readonly Id: string }
  return named && (await layersOf(client, image)) > most ? flatten(client, id, image, name) : image
}

/** The same in one layer. What an image says besides is lost that way, and said again. */
async function flatten(client: Client, id: string, image: string, name: string): Promise<string> {
  const { Config: said } = (await inspectImage(client, image)) ?? {}
  const labels = Object.entries(said?.Labels ?? {}).map(([key, value]) => `LABEL ${quoted(key)}=${quoted(value)}`)
  const env = (said?.Env ?? []).map((pair) => `ENV ${pair.slice(0, pair.indexOf('='))}=${quoted(pair.slice(pair.indexOf('=') + 1))}`)
  const docker = await client.docker()
  const whole = await client.call(() => docker.getContainer(id).export())
  const stream = await client.call(() => docker.importImage(whole, { fromSrc: '-', repo: DISK_IMAGE, tag: name, changes: [...labels, ...env] }))
  await client.call(() => follow(docker, stream, () => {}, undefined))
  const flat = await inspectImage(client, `${DISK_IMAGE}:${name}`)
  if (flat) return flat.Id
  throw fail('failed', `the disk of ${name} was made one image, which is not there`)
}

async function layersOf(client: Client, image: string): Promise<number> {
  const { RootFS: fs } = (await inspectImage(client, image)) ?? {}
  return fs?.Layers?.length ?? 0
}

function quoted(text: string): string {
  return `"${text.replace(/["\\$]/g, String.raw`\$&`)}"`
}

/** Those of a computer that nothing needs any more. `also`: one that may be another's. */
export async function discardImages(client: Client, name: string, also?: string): Promise<void> {
  const images = await client.call((docker) => docker.listImages({ filters: { label: [`${LABEL.role}=disk`] } }))
  const mine = images.filter(({ Id, Labels }) => Labels[LABEL.of] === name || Id === also)
  // By its name one goes also where others stand on it: these keep what they need.
  for (const { Id, RepoTags: tags } of mine) await discardImage(client, tags?.find((tag) => tag.startsWith(`${DISK_IMAGE}:`)) ?? Id)
}

/** If it is one. */
export async function discardDisk(client: Client, id: string): Promise<void> {
  const { Config: said } = (await inspectImage(client, id)) ?? {}
  if (said?.Labels?.[LABEL.role] === 'disk') await discardImage(client, id)
}

/** What is in use stays. */
async function discardImage(client: Client, id: string): Promise<void> {
  await client.call((docker) => docker.getImage(id).remove()).catch((error: unknown) => {
    if (!hasCode(error, 'conflict', 'not_found')) throw error
  })
}
