import type { ContainerInspectInfo } from 'dockerode'
import type { AsideOptions, ConnectContext, Process } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { makeContainer } from '../create/container.ts'
import { discard, look, lookAt, mustLook } from '../engine/container.ts'
import { withoutMissing } from '../create/project.ts'
import { mayLive, whileMaking } from '../engine/maker.ts'
import { fail, hasCode, throwIfAborted } from '../errors.ts'
import { isOurs, type Meta, readMeta } from '../meta.ts'
import { beside, changedOf, nextOf, onCopy, volumesOf } from '../names.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { diskParts, mountsOf } from './disk.ts'
import { DONE, readMark } from './mark.ts'
import { whileHeld } from './freeze.ts'
import { runHelper } from './helper.ts'
import { ensureKit } from '../run/kit.ts'
import { needVault } from './volumes.ts'
import { commit, discardDisk } from '../images/disks.ts'

/** Another one may be at it. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 200
/** A name on every copy that leads nowhere. */
const NOWHERE = '/nowhere'

/**
 * A program beside a computer whose disk nothing may reach from outside. It stands on a copy, an image of it, with the
 * volumes at their places. What it changes there is what another container begins with, which takes the computer's place.
 */
export async function startOnCopy(client: Client, context: ConnectContext, found: ContainerInspectInfo, argv: readonly string[], options: AsideOptions): Promise<Process> {
  const name = found.Name.slice(1)
  const meta = readMeta(name, found.Config.Labels)
  throwIfAborted(options.signal)
  if (options.net || options.root) throw fail('unsupported', `nothing can reach the disk of ${name} and its network at once`, { computer: name })
  if (!found.State.Running) await settle(client, name, { busy: true })
  const now = await mustLook(client, name)
  await Promise.all([ensureKit(client, now.Id, meta, context.guest, context.progress), options.store && needVault(client, name)])
  const image = await (now.State.Running ? whileHeld(meta, () => commit(client, now.Id, name)) : commit(client, now.Id, name))
  const write = options.disk === 'write'
  let made: string | undefined
  const leave = async () => {
    if (made !== undefined) await discard(client, made)
    await discardDisk(client, image)
  }
  try {
    const process = await whileMaking(name, () => runHelper(client, meta, context, options, {
      image,
      argv,
      links: { [beside.store]: onCopy.store, ...(now.State.Running && { '/processes': NOWHERE }) },
      beside: undefined,
      shares: false,
      mounts: [
        ...mountsOf(diskParts(meta, { root: undefined, because: '' }, false), write),
        ...(options.store ? [{ Type: 'volume' as const, Source: volumesOf(name).vault, Target: onCopy.store }] : []),
      ],
      copy: { seat: onCopy, ...(write && { called: changedOf(name) }), onMade: (id) => (made = id) },
    }))
    if (write && (await isAnother(client, now))) throw fail('conflict', `${name} was started meanwhile`, { computer: name })
    // However it ended: what it has done to the end is in its mark.
    return whenOver(process, async () => void (write ? await settle(client, name) : await leave()))
  } catch (error) {
    await leave().catch(() => undefined)
    throw error
  }
}

/**
 * What was changed on a copy, to the end, takes its computer's place; one of which it is known that it was not goes. Only
 * while the computer does not run. `meta`: as it is to be made. True where another container has taken its place.
 */
export async function settle(client: Client, name: string, { busy = false, meta }: Settling = {}): Promise<boolean> {
  for (let give = performance.now() + PATIENCE_MS, waited = false; ; await delay(PAUSE_MS)) {
    const changed = await lookAt(client, changedOf(name))
    if (changed === undefined || !isOurs(changed.Config.Labels, 'aside')) return waited
    if (changed.State.Running || (changed.State.Status === 'created' && isBeingMade(changed))) {
      if (busy) throw fail('conflict', `something else works on the disk of ${name}`, { computer: name })
      return false
    }
    const found = await look(client, name)
    if (found === undefined || found.State.Running) return false
    try {
      return await settled(client, found, changed, meta ?? readMeta(name, found.Config.Labels))
    } catch (error) {
      // Somebody else does it this moment, or has done it.
      if (!hasCode(error, 'locked', 'not_found') || performance.now() > give) throw error
      waited = true
    }
  }
}

interface Settling {
  readonly busy?: boolean
  readonly meta?: Meta
}

async function settled(client: Client, found: ContainerInspectInfo, changed: ContainerInspectInfo, meta: Meta): Promise<boolean> {
  const done = (await readMark(client, found)) === DONE
  if (done) await replace(client, found, meta, { image: () => commit(client, changed.Id, meta.name, 'named'), copy: changed.Id })
  else await discard(client, changed.Id)
  for (const image of [changed.Image, found.Image]) await discardDisk(client, image)
  return done
}

interface Replacement {
  /** Of all that it has itself. */
  image(): Promise<string>
  /** What that is made from, which is needed no more then. */
  readonly copy?: string
}

/**
 * A computer's container gives way to another one, made as `meta` says. The name that has until then is also what keeps
 * everybody else from doing the same: whoever was killed over it leaves it to the next one.
 */
export async function replace(client: Client, found: ContainerInspectInfo, meta: Meta, { image, copy }: Replacement): Promise<void> {
  const { name } = meta
  const begun = await lookAt(client, nextOf(name))
  if (begun && isBeingMade(begun)) throw beingReplaced(name)
  await whileMaking(name, async () => {
    if (begun) await discard(client, begun.Id)
    const own = await image()
    const project = meta.copied ? meta.project : withoutMissing(meta.project)
    const id = await makeContainer(client, { ...meta, ...(project && { project }), image: own, replaced: true }, nextOf(name)).catch((error: unknown) => {
      throw hasCode(error, 'already_exists') ? beingReplaced(name) : error
    })
    try {
      // Somebody else may have done it before that name was ours.
      const [now, there] = await Promise.all([lookAt(client, name), copy === undefined || lookAt(client, copy)])
      if (now?.Id !== found.Id || now.State.Running || !there) throw beingReplaced(name)
      await discard(client, found.Id)
    } catch (error) {
      // While that is there nothing is lost; where it is not, this one is all there is.
      if (await lookAt(client, found.Id)) await discard(client, id)
      throw error
    }
    if (copy !== undefined) await discard(client, copy)
    await takeName(client, id, name)
  })
}

/** By somebody who lives, for all one can tell. */
export function isBeingMade({ Config, Created }: ContainerInspectInfo): boolean {
  return mayLive({ labels: Config.Labels, created: Created })
}

/** The last step, which anybody may do who finds that it is missing. */
export async function takeName(client: Client, id: string, name: string): Promise<void> {
  await client.call((docker) => docker.getContainer(id).rename({ name })).catch(async (error: unknown) => {
    if ((await lookAt(client, name))?.Id !== id) throw error
  })
}

export function beingReplaced(name: string): Error {
  return fail('locked', `another amux puts what ${name} is to be in its place`, { computer: name, hint: 'Try again when that is done.' })
}

/** It ran since: the copy is of before. */
async function isAnother(client: Client, { Id, Name, State }: ContainerInspectInfo): Promise<boolean> {
  const now = await look(client, Name.slice(1))
  return now?.Id !== Id || now.State.Running || now.State.StartedAt !== State.StartedAt
}

/** What is still cleared away behind programs that have said their last word. */
const clearing = new Set<Promise<unknown>>()

export async function cleared(): Promise<void> {
  await Promise.allSettled(clearing)
}

/** Its end is known only when what belongs to it is done. */
function whenOver(process: Process, work: () => Promise<void>): Process {
  const { stdin, stdout, stderr } = process
  const exit = process.exit.then(
    async (status) => (await work(), status),
    async (error: unknown) => (await work().catch(() => undefined), Promise.reject(error)),
  )
  clearing.add(exit)
  exit.finally(() => clearing.delete(exit)).catch(() => undefined)
  return { stdin, stdout, stderr, exit, kill: (signal) => process.kill(signal), resize: (size) => process.resize(size) }
}
