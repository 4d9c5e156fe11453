import type { Client } from '../client.ts'
import { hasCode } from '../errors.ts'
import { isOurs } from '../meta.ts'
import { LABEL, volumesOf } from '../names.ts'

/** Whether volumes of a computer are there whose container is not: somebody removed that by hand. */
export async function leftovers(client: Client, name: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const found = await client.call((docker) => docker.getVolume(volumesOf(name).home).inspect())
    return isOurs(found.Labels, 'home') ? found.Labels : undefined
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
