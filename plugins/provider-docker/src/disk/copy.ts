import type { ContainerInspectInfo } from 'dockerode'
import type { AsideOptions, ConnectContext, Process } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { discard, look, lookAt, mustLook } from '../engine/container.ts'
import { isBeingMade, whileMaking } from '../engine/maker.ts'
import { fail, hasCode, throwIfAborted } from '../errors.ts'
import { isOurs, type Meta, readMeta } from '../meta.ts'
import { beside, changedOf, onCopy, volumesOf } from '../names.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { diskParts, mountsOf } from './disk.ts'
import { DONE, readMark } from './mark.ts'
import { replace } from './replace.ts'
import { whileHeld } from './freeze.ts'
import { runHelper } from './helper.ts'
import { ensureKit } from '../run/kit.ts'
import { withShown } from './trees.ts'
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
  const meta = await withShown(client, context, found, readMeta(name, found.Config.Labels))
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
        ...mountsOf(diskParts(meta, undefined, false), write),
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
