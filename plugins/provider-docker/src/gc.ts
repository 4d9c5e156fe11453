import type { Client } from './client.ts'
import { discard } from './engine/container.ts'
import { mayLive } from './engine/maker.ts'
import { hasCode } from './errors.ts'
import { changedOf, DISK_IMAGE, LABEL, mendingOf } from './names.ts'

/** Something that amux made on an engine and nobody needs any more. */
export interface Leftover {
  readonly kind: 'container' | 'volume' | 'image'
  readonly name: string
  readonly of: string
  readonly why: string
}

/** Nobody makes an image for so long before it is used. */
const OLD_S = 3600

/** What was left by an amux that was killed, or by somebody who removed half of a computer. Homes and checkpoints are never among it. */
export async function leftoversOf(client: Client, now = Date.now()): Promise<readonly Leftover[]> {
  const [containers, { Volumes: volumes }, dangling, disks] = await Promise.all([
    client.call((docker) => docker.listContainers({ all: true, filters: { label: [LABEL.role] } })),
    client.call((docker) => docker.listVolumes({ filters: { label: [LABEL.role] } })),
    client.call((docker) => docker.listImages({ filters: { label: [LABEL.template], dangling: ['true'] } })),
    // Without those that others stand on.
    client.call((docker) => docker.listImages({ filters: { label: [`${LABEL.role}=disk`] } })),
  ])
  const role = (labels: Readonly<Record<string, string>>) => labels[LABEL.role] ?? ''
  const of = (labels: Readonly<Record<string, string>>) => labels[LABEL.of] ?? ''
  const computers = new Set([...containers.filter(({ Labels }) => role(Labels) === 'computer').map(({ Labels }) => of(Labels)), ...(volumes ?? []).filter(({ Labels }) => role(Labels) === 'home').map(({ Labels }) => of(Labels))])
  const found: Leftover[] = []
  for (const { Names, Labels, State, Created } of containers) {
    const over = State === 'exited' || State === 'dead' || (State === 'created' && !mayLive({ labels: Labels, created: new Date(Created * 1000).toISOString() }, now))
    const helper = role(Labels) === 'aside' || role(Labels) === 'kit'
    const name = (Names[0] ?? '').replace(/^\//, '')
    // It is gone: an engine that was killed meanwhile lists it for as long as it runs.
    if (name === '') continue
    if (name === mendingOf(of(Labels)) && over) found.push({ kind: 'container', name, of: of(Labels), why: 'made to mend a computer, by an amux that was killed' })
    // A copy of a disk may be all there is of what a restore has put back: the next start looks.
    if (name === changedOf(of(Labels)) && computers.has(of(Labels))) continue
    if (helper && over) found.push({ kind: 'container', name, of: of(Labels), why: 'a helper whose amux was killed' })
    if (role(Labels) === 'net' && !computers.has(of(Labels))) found.push({ kind: 'container', name, of: of(Labels), why: 'its computer is gone' })
  }
  for (const { Name, Labels } of volumes ?? []) if (['store', 'copy'].includes(role(Labels)) && !computers.has(of(Labels))) found.push({ kind: 'volume', name: Name, of: of(Labels), why: 'its computer is gone' })
  for (const { Id, Labels } of dangling) if (role(Labels) !== 'disk') found.push({ kind: 'image', name: Id, of: '', why: 'a template that was replaced' })
  const used = new Set(containers.map(({ ImageID }) => ImageID))
  for (const { Id, Labels, Created, RepoTags: tags } of disks) {
    // One that somebody makes this moment is about to be used.
    if (used.has(Id) || now / 1000 - Created < OLD_S) continue
    const tag = tags?.find((one) => one.startsWith(`${DISK_IMAGE}:`))
    if (tag === undefined || !computers.has(of(Labels))) found.push({ kind: 'image', name: tag ?? Id, of: of(Labels), why: tag === undefined ? 'a copy of a disk, by an amux that was killed' : 'its computer is gone' })
  }
  return found
}

/** Containers first: they hold the rest. What is in use after all stays. */
export async function removeLeftovers(client: Client, all: readonly Leftover[]): Promise<readonly Leftover[]> {
  const removed: Leftover[] = []
  for (const kind of ['container', 'volume', 'image'] as const) {
    for (const one of all.filter((each) => each.kind === kind)) if (await remove(client, one)) removed.push(one)
  }
  return removed
}

async function remove(client: Client, { kind, name }: Leftover): Promise<boolean> {
  try {
    if (kind === 'container') await discard(client, name)
    else if (kind === 'volume') await client.call((docker) => docker.getVolume(name).remove())
    else await client.call((docker) => docker.getImage(name).remove())
    return true
  } catch (error) {
    if (hasCode(error, 'not_found')) return true
    if (hasCode(error, 'conflict')) return false
    throw error
  }
}
