import type { ContainerInspectInfo, MountSettings } from 'dockerode'
import type { AsideOptions, ByteSource, ConnectContext, Process } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { attach, awaitExit } from '../engine/attach.ts'
import { part } from '../engine/demux.ts'
import { explain } from '../engine/explain.ts'
import { firstLine, refusalOf, unstarted } from '../engine/handshake.ts'
import { fail, hasCode } from '../errors.ts'
import { helperImage, inspectImage } from '../images/image.ts'
import { kitName } from '../run/kit.ts'
import { marks, type Meta } from '../meta.ts'
import { beside, KIT_VOLUME, volumesOf } from '../names.ts'
import { Program, statusFrom } from '../run/process.ts'

/** Over files of whatever owner and kind, and what an overlay keeps beside them. */
const OVER_FILES = ['SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH']
const OVER_NETWORK = ['NET_ADMIN', 'NET_RAW']
/** Of what one says, characters. */
const MOST = 70_000

/** What a disk's layer lies on; another where that image was removed. */
export async function standing(client: Client, meta: Meta): Promise<{ readonly id: string; readonly own: boolean }> {
  if (await inspectImage(client, meta.image)) return { id: meta.image, own: true }
  const other = await helperImage(client, meta.image)
  if (other !== undefined) return { id: other, own: false }
  throw fail('tool_missing', `the image of ${meta.name} is gone, and no other is there that could help`, { computer: meta.name, hint: `Get ${meta.imageName} again, or build the template: amux computer template build` })
}

/** One of amux's own programs in a container of its own, to its end: what it says. */
export async function runBeside(client: Client, meta: Meta, context: ConnectContext, { failed, disk, ...what }: Pick<Beside, 'argv' | 'mounts' | 'shares'> & Pick<AsideOptions, 'disk'> & { failed(words: string): Error }): Promise<string> {
  const program = await startBeside(client, meta, context, { ...(disk && { disk }) }, { image: (await standing(client, meta)).id, links: {}, ...what })
  const [said, words] = await Promise.all([textOf(program.stdout), textOf(program.stderr)])
  const { code, signal } = await program.exit
  if (code !== 0) throw failed(words.trim() || `its helper ended by ${signal ?? code}`)
  return said
}

async function textOf(source: ByteSource): Promise<string> {
  let text = ''
  for await (const chunk of source) text = (text + Buffer.from(chunk).toString()).slice(-MOST)
  return text
}

export interface Beside {
  readonly image: string
  readonly argv: readonly string[]
  readonly links: Readonly<Record<string, string>>
  /** Whose processes it sees. */
  readonly shares: ContainerInspectInfo | undefined
  readonly mounts: readonly MountSettings[]
}

/** What changes a disk holds its computer's lock. */
export async function startBeside(client: Client, { name, arch }: Meta, { guest }: ConnectContext, { net, disk, signal }: AsideOptions, what: Beside): Promise<Process> {
  const kit = `${beside.kit}/${kitName(guest, arch)}`
  const locked = disk === 'write'
  const words = [...(locked ? ['lock', beside.lock, 'mark', beside.mark] : []), ...Object.entries({ [beside.tools]: kit, ...what.links }).flatMap(([from, to]) => ['link', from, to]), '--']
  const container = await client.call(
    (docker) =>
      docker.createContainer({
        Image: what.image,
        User: '0:0',
        WorkingDir: '/',
        Env: ['LANG=C.UTF-8'],
        Entrypoint: [`${kit}/amux-init`, 'beside', ...words, ...what.argv],
        Cmd: [],
        Labels: marks(name, 'aside'),
        OpenStdin: true,
        StdinOnce: true,
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Healthcheck: { Test: ['NONE'] },
        HostConfig: {
          AutoRemove: true,
          Mounts: [{ Type: 'volume', Source: KIT_VOLUME, Target: beside.kit, ReadOnly: true }, ...(locked ? [{ Type: 'volume' as const, Source: volumesOf(name).store, Target: beside.guest }] : []), ...what.mounts],
          NetworkMode: net ? `container:${name}` : 'none',
          ...(what.shares && { PidMode: `container:${what.shares.Id}` }),
          CapAdd: [...(disk || what.shares ? OVER_FILES : []), ...(net ? OVER_NETWORK : [])],
          LogConfig: { Type: 'none', Config: {} },
        },
      }),
    signal,
  )
  try {
    const socket = await client.call((docker) => attach(docker, container.id))
    const { stdout, stderr } = part(socket, false)
    const { ended } = await client.call((docker) => awaitExit(docker, container.id))
    ended.catch(() => undefined)
    await client.call(() => container.start())
    const { line, rest } = await firstLine(stderr.source)
    if (line !== 'started') {
      socket.destroy()
      throw refused(name, line)
    }
    return new Program({
      socket,
      stdout: stdout.source,
      stderr: rest,
      signal,
      exit: client.call(() => ended).then(statusFrom),
      kill: (_, word) => client.call(() => container.kill({ signal: word })).then(
        () => undefined,
        (error: unknown) => {
          if (!hasCode(error, 'not_found', 'conflict')) throw error
        },
      ),
    })
  } catch (error) {
    await client.call(() => container.remove({ force: true })).catch(() => undefined)
    throw explain(error, client.found, signal)
  }
}

function refused(name: string, line = ''): Error {
  const refusal = refusalOf(line)
  if (refusal?.step === 'busy') return fail('conflict', `${name} is starting, or something else works on its disk`, { computer: name })
  if (refusal?.step === 'exec') return unstarted(refusal, refusal.subject, name)
  const why = refusal ? `${refusal.step} ${refusal.subject}: ${refusal.text}` : line || 'it ended at once'
  return fail('failed', `nothing can work beside ${name}: ${why}`, { computer: name })
}
