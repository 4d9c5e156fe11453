import type { ContainerInspectInfo } from 'dockerode'
import type { AsideOptions, ConnectContext, PreparedAside, Process } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { standing } from './beside.ts'
import { startOnCopy } from './copy.ts'
import { diskParts, mountsOf } from './disk.ts'
import { type Helper, keepHelper, runHelper } from './helper.ts'
import { mustLook } from '../engine/container.ts'
import { STOPPED } from '../engine/explain.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { ensureKit } from '../run/kit.ts'
import { type Meta, readMeta } from '../meta.ts'
import { beside, volumesOf } from '../names.ts'
import { withShown } from './trees.ts'
import { needVault } from './volumes.ts'
import { forget, isRefusal, wayTo } from './way.ts'

/**
 * A program in a container of its own beside a computer: it finds amux's programs in /amux, and of the computer what it
 * asked for. It stands on the computer's image, as nobody changed it, and ends with whoever started it.
 */
export async function startAside(client: Client, context: ConnectContext, name: string, argv: readonly string[], options: AsideOptions): Promise<Process> {
  throwIfAborted(options.signal)
  const found = await mustLook(client, name)
  const running = found.State.Running
  if ((options.net || options.root) && !running) throw fail('not_running', `${name} does not run`, { computer: name })
  if (options.disk === 'write' && running) throw fail('conflict', `${name} runs: its disk cannot be changed from outside`, { computer: name })
  if (options.disk && (await isByImages(client, context, found, name))) return startOnCopy(client, context, found, argv, options)
  const { meta, helper } = await planned(client, context, found, name, argv, options)
  return runHelper(client, meta, context, options, helper).catch(async (error: unknown) => {
    if (options.disk && isRefusal(error)) await forget(client, context, found)
    if (options.net || options.root || !running || !STOPPED.test(String(error))) throw error
    // It was stopped this moment, which only makes it simpler.
    return startAside(client, context, name, argv, options)
  })
}

/** What is to change the disk of a computer that still runs, up to where that has to have been stopped. */
export async function prepareAside(client: Client, context: ConnectContext, name: string, argv: readonly string[], options: AsideOptions): Promise<PreparedAside> {
  throwIfAborted(options.signal)
  const found = await mustLook(client, name)
  // There is nothing to copy until it has stopped.
  if (options.disk && (await isByImages(client, context, found, name))) return { begin: () => startAside(client, context, name, argv, options), leave: async () => undefined }
  const { meta, helper } = await planned(client, context, found, name, argv, options)
  return keepHelper(client, meta, context, options, helper)
}

async function isByImages(client: Client, context: ConnectContext, found: ContainerInspectInfo, name: string): Promise<boolean> {
  return (await wayTo(client, context, readMeta(name, found.Config.Labels), found)).root === undefined
}

async function planned(client: Client, context: ConnectContext, found: ContainerInspectInfo, name: string, argv: readonly string[], options: AsideOptions): Promise<{ readonly meta: Meta; readonly helper: Helper }> {
  const meta = await withShown(client, context, found, readMeta(name, found.Config.Labels))
  const running = found.State.Running
  const [image] = await Promise.all([standing(client, meta), ensureKit(client, found.Id, meta, context.guest, context.progress), options.store && needVault(client, name)])
  const disk = options.disk ? mountsOf(diskParts(meta, (await wayTo(client, context, meta, found)).root, image.own), options.disk === 'write') : []
  const sees = running && options.disk !== 'write'
  return {
    meta,
    helper: {
      image: image.id,
      argv,
      links: { ...(sees && { '/processes': '/proc' }), ...(options.root && { '/computer': '/proc/1/root' }) },
      beside: running ? found : undefined,
      shares: sees && (options.disk !== undefined || options.root === true),
      mounts: [...disk, ...(options.store ? [{ Type: 'volume' as const, Source: volumesOf(name).vault, Target: beside.store }] : [])],
    },
  }
}
