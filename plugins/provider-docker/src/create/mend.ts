import type { Client } from '../client.ts'
import { makePrivate } from '../../../shared/sockets.ts'
import { leftovers } from '../disk/volumes.ts'
import { borrow, computersOf, discard, lookAt, put } from '../engine/container.ts'
import { fail, hasCode } from '../errors.ts'
import { factsOf } from '../images/facts.ts'
import { environmentOf, inspectImage } from '../images/image.ts'
import { isOurs, marks, type Meta, readMeta } from '../meta.ts'
import { beside, inside, mendingOf, volumesOf } from '../names.ts'
import { makeContainer } from './container.ts'
import { seedOf } from './seed.ts'
import { isBeingMade, whileMaking } from '../engine/maker.ts'

/**
 * Another container for a computer whose own one somebody removed, over what is left: its home, its checkpoints, its
 * sessions' records. The system on it is the image's.
 */
export async function mend(client: Client, dataDir: string, name: string): Promise<Meta> {
  const half = await refuseWhole(client, name)
  return whileMaking(name, () => make(client, dataDir, half))
}

interface Half {
  readonly meta: Meta
  readonly roles: readonly string[]
  /** Of its image. */
  readonly id: string
  readonly env: Readonly<Record<string, string>>
}

async function make(client: Client, dataDir: string, { meta, roles, id, env }: Half): Promise<Meta> {
  const { name } = meta
  if (meta.run !== undefined) makePrivate(meta.run)
  // In this order: whoever finds a home without a vault, and a store without an environment, takes it for a creation that was cut short.
  if (!roles.includes('vault')) await client.call((docker) => docker.createVolume({ Name: volumesOf(name).vault, Labels: marks(name, 'vault') }))
  if (!roles.includes('store')) await makeStore(client, name, id, env)
  const container = await makeContainer(client, meta, mendingOf(name)).catch((error: unknown) => {
    throw hasCode(error, 'already_exists') ? beingMended(name) : error
  })
  const home = meta.user.home.slice(1)
  const seed = seedOf(meta, await factsOf(client, id, dataDir))
  try {
    await put(client, container, '/', seed.filter((entry) => entry.name !== home && !entry.name.startsWith(`${home}/`)))
    // Half of it would be taken for the whole.
    await client.call((docker) => docker.getContainer(container).rename({ name }))
  } catch (error) {
    await discard(client, container).catch(() => undefined)
    throw error
  }
  return meta
}

function beingMended(name: string): Error {
  return fail('locked', `${name} is being mended`, { computer: name, hint: 'Try again when that is done.' })
}

async function refuseWhole(client: Client, name: string): Promise<Half> {
  const hint = `See it: amux computer info ${name}`
  const begun = await lookAt(client, mendingOf(name))
  if (begun && isBeingMade(begun)) throw beingMended(name)
  if (begun && isOurs(begun.Config.Labels)) await discard(client, begun.Id)
  if (await lookAt(client, name)) throw fail('conflict', `there is a container ${name}`, { computer: name, hint })
  const [other] = await computersOf(client, name)
  const now = other?.Names[0]?.replace(/^\//, '')
  if (now !== undefined) throw fail('conflict', `the container of ${name} is there under another name: ${now}`, { computer: name, hint: `Rename it: docker rename ${now} ${name}` })
  const left = await leftovers(client, name)
  if (left === undefined) throw fail('not_found', `there is no Docker computer ${name}`, { computer: name, hint: 'See what there is: amux computer ls' })
  if (!left.roles.includes('home')) throw fail('failed', `the home of ${name} is gone, and with it what it was made from`, { computer: name, hint: `To give up what is left of it: amux computer rm ${name}` })
  const meta = readMeta(name, left.labels)
  const image = await inspectImage(client, meta.image)
  if (image === undefined) throw fail('tool_missing', `the image of ${name} is gone`, { computer: name, hint: `Get the same ${meta.imageName} again: ${meta.image}` })
  return { meta, roles: left.roles, id: image.Id, env: environmentOf(image) }
}

/** What it was given at its creation was in the one that is gone. */
async function makeStore(client: Client, name: string, image: string, env: Readonly<Record<string, string>>): Promise<void> {
  const Name = volumesOf(name).store
  await client.call((docker) => docker.createVolume({ Name, Labels: marks(name, 'store') }))
  const file = { name: inside.env.slice(inside.store.length + 1), mode: 0o600, content: JSON.stringify(env) }
  await borrow(client, image, [{ Type: 'volume', Source: Name, Target: beside.guest }], (id) => put(client, id, beside.guest, [file]))
}
