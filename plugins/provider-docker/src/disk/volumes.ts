import type { Client } from '../client.ts'
import { fail, hasCode } from '../errors.ts'
import { isOurs, marks } from '../meta.ts'
import { LABEL, type Volumes, volumesOf } from '../names.ts'

export interface Left {
  readonly labels: Readonly<Record<string, string>>
  readonly roles: readonly string[]
  /** By the engine's clock. */
  readonly created: string
}

/** Which volumes of a computer are there whose container is not: somebody removed that by hand. Undefined: none. */
export async function leftovers(client: Client, name: string): Promise<Left | undefined> {
  const found = await Promise.all((['home', 'store', 'vault'] as const).map(async (role) => [role, await volumeOf(client, name, role)] as const))
  const there = found.flatMap(([role, volume]) => (volume ? [{ role, ...volume }] : []))
  const [first] = there
  return first && { labels: first.labels, created: first.created, roles: there.map(({ role }) => role) }
}

/** An engine makes what is missing, empty and without a word: nobody may take that for what was there. */
export async function needVault(client: Client, name: string): Promise<void> {
  if (await volumeOf(client, name, 'vault')) return
  const { vault } = volumesOf(name)
  const labels = Object.entries(marks(name, 'vault')).map(([key, value]) => `--label ${key}=${value}`)
  throw fail('failed', `the volume ${vault} is gone, and with it the checkpoints and the network policy of ${name}`, { computer: name, hint: `To begin with none: docker volume create ${labels.join(' ')} ${vault}` })
}

/** Undefined where there is none, or it is somebody else's. */
async function volumeOf(client: Client, name: string, role: keyof Volumes): Promise<Omit<Left, 'roles'> | undefined> {
  const found = await lookAtVolume(client, volumesOf(name)[role])
  return found && isOurs(found.labels, role) ? found : undefined
}

/** Somebody else's, of a name that a computer's would have: an engine would give it to that. */
export async function foreignVolume(client: Client, name: string): Promise<string | undefined> {
  const all = await Promise.all(Object.entries(volumesOf(name)).map(async ([role, volume]) => ({ role, volume, found: await lookAtVolume(client, volume) })))
  return all.find(({ role, found }) => found && !isOurs(found.labels, role))?.volume
}

async function lookAtVolume(client: Client, volume: string): Promise<Omit<Left, 'roles'> | undefined> {
  try {
    const found = await client.call((docker) => docker.getVolume(volume).inspect())
    // Every engine tells it, though not in dockerode's types.
    const { CreatedAt: created } = found as { readonly CreatedAt?: string }
    return { labels: found.Labels, created: created ?? '' }
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined
    throw error
  }
}

/** Labels of every computer's home. */
export async function homes(client: Client): Promise<readonly Readonly<Record<string, string>>[]> {
  const { Volumes } = await client.call((docker) => docker.listVolumes({ filters: { label: [`${LABEL.role}=home`] } }))
  return (Volumes ?? []).map(({ Labels }) => Labels)
}

/** Those that are there, and that amux made. */
export async function removeVolumes(client: Client, name: string): Promise<void> {
  const { home, store, vault } = volumesOf(name)
  const { Volumes } = await client.call((docker) => docker.listVolumes({ filters: { label: [`${LABEL.of}=${name}`, `${LABEL.role}=copy`] } }))
  const copies = (Volumes ?? []).map(({ Name }) => [Name, 'copy'] as const)
  // The home comes last: while it is there, somebody may try again.
  for (const [volume, role] of [...copies, [store, 'store'], [vault, 'vault'], [home, 'home']] as const) {
    try {
      const found = await client.call((docker) => docker.getVolume(volume).inspect())
      if (isOurs(found.Labels, role)) await client.call((docker) => docker.getVolume(volume).remove())
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error
    }
  }
}
