import type { AsideOptions, ConnectContext, Process } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { standing, startBeside } from './beside.ts'
import { diskParts } from './disk.ts'
import { mustLook } from '../engine/container.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { ensureKit } from '../run/kit.ts'
import { readMeta } from '../meta.ts'
import { beside, volumesOf } from '../names.ts'
import { rootOf } from './root.ts'

/**
 * A program in a container of its own beside a computer: it finds amux's programs in /amux, and of the computer what it
 * asked for. It stands on the computer's image, as nobody changed it, and ends with whoever started it.
 */
export async function startAside(client: Client, context: ConnectContext, name: string, argv: readonly string[], options: AsideOptions): Promise<Process> {
  throwIfAborted(options.signal)
  const found = await mustLook(client, name)
  const meta = readMeta(name, found.Config.Labels)
  const running = found.State.Running
  if ((options.net || options.root) && !running) throw fail('not_running', `${name} does not run`, { computer: name })
  if (options.disk === 'write' && running) throw fail('conflict', `${name} runs: its disk cannot be changed from outside`, { computer: name })
  const image = await standing(client, meta)
  const disk = options.disk ? diskParts(meta, await rootOf(client, context, meta, found), image.own).map(({ tree, mount }) => ({ ...mount, Target: tree.path, ReadOnly: options.disk === 'read' })) : []
  await ensureKit(client, found.Id, meta, context.guest, context.progress)
  return startBeside(client, meta, context, options, {
    image: image.id,
    argv,
    links: { ...(running && { '/processes': '/proc' }), ...(options.root && { '/computer': '/proc/1/root' }) },
    shares: running && (options.disk !== undefined || options.root === true) ? found : undefined,
    mounts: [...disk, ...(options.store ? [{ Type: 'volume' as const, Source: volumesOf(name).vault, Target: beside.store }] : [])],
  })
}
