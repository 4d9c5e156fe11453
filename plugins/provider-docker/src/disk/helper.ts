import type { ContainerInspectInfo, MountSettings } from 'dockerode'
import type { Socket } from 'node:net'
import type { AsideOptions, ByteSource, ConnectContext, ExitStatus, Process } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { attach, awaitExit } from '../engine/attach.ts'
import { part } from '../engine/demux.ts'
import { UNLABELLED } from '../engine/container.ts'
import { explain } from '../engine/explain.ts'
import { firstLine, refusalOf, unstarted } from '../engine/handshake.ts'
import { fail, hasCode, throwIfAborted } from '../errors.ts'
import { kitName } from '../run/kit.ts'
import { marks, type Meta } from '../meta.ts'
import { maker } from '../engine/maker.ts'
import { beside, KIT_VOLUME, LABEL, type Seat, volumesOf } from '../names.ts'
import { Program, statusFrom } from '../run/process.ts'

/** Over files of whatever owner and kind, and what an overlay keeps beside them. */
const OVER_FILES = ['SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH']
const OVER_NETWORK = ['NET_ADMIN', 'NET_RAW']

const ENDED = 'ended\n'

export interface Helper {
  readonly image: string
  readonly argv: readonly string[]
  readonly links: Readonly<Record<string, string>>
  /** The computer while it runs. */
  readonly beside: Pick<ContainerInspectInfo, 'Id'> | undefined
  /** Whether it sees that one's processes. */
  readonly shares: boolean
  readonly mounts: readonly MountSettings[]
  /** It puts something on the computer, which profiles for containers forbid. */
  readonly attaches?: boolean
  /** It stands on a copy of the computer's disk, with no power over anything else, and stays until it is removed. */
  readonly copy?: { readonly seat: Seat; readonly called?: string; onMade(id: string): void }
}

/** A container that is there and waits. */
export interface Waiting {
  begin(): Promise<Process>
  leave(): Promise<void>
}

type Container = Awaited<ReturnType<typeof make>>

/** A program in a container of its own; the container is gone when the program has ended. What changes a disk holds its computer's lock. */
export async function runHelper(client: Client, meta: Meta, context: ConnectContext, options: AsideOptions, helper: Helper): Promise<Process> {
  return (await started(client, meta, context, options, helper, false)).begin()
}

/** The same up to where it would take the lock. */
export async function keepHelper(client: Client, meta: Meta, context: ConnectContext, options: AsideOptions, helper: Helper): Promise<Waiting> {
  return started(client, meta, context, options, helper, true)
}

async function started(client: Client, meta: Meta, { guest }: ConnectContext, options: AsideOptions, helper: Helper, waits: boolean): Promise<Waiting> {
  const container = await make(client, meta, kitName(guest, meta.arch), options, helper, waits)
  helper.copy?.onMade(container.id)
  const remove = () => client.call(() => container.remove({ force: true })).catch(() => undefined)
  try {
    const socket = await client.call((docker) => attach(docker, container.id))
    const { stdout, stderr } = part(socket, false)
    const { ended } = await client.call((docker) => awaitExit(docker, container.id))
    ended.catch(() => undefined)
    await client.call(() => container.start())
    let { line, rest } = await firstLine(stderr.source)
    if (waits && line !== 'waiting') throw refused(meta.name, line)
    const exit = client.call(() => ended).then(statusFrom)
    exit.catch(() => undefined)
    const begin = async () => {
      throwIfAborted(options.signal)
      if (waits) socket.write('\n')
      if (waits) ({ line, rest } = await firstLine(rest))
      if (line !== 'started') throw refused(meta.name, line)
      return program(client, container, { socket, stdout: stdout.source, stderr: rest, exit, signal: options.signal }, helper.copy !== undefined)
    }
    return {
      begin: () =>
        begin().catch(async (error: unknown) => {
          socket.destroy()
          await remove()
          throw explain(error, client.found, options.signal)
        }),
      leave: async () => {
        socket.destroy()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw explain(error, client.found, options.signal)
  }
}

async function make(client: Client, { name, ids }: Meta, kit: string, { net, disk, signal }: AsideOptions, helper: Helper, waits: boolean) {
  const { copy } = helper
  const seat = copy?.seat ?? beside
  const tools = `${seat.kit}/${kit}`
  const locked = disk === 'write'
  const words = [...(waits ? ['wait'] : []), ...(locked ? ['lock', seat.lock, copy ? 'done' : 'mark', seat.mark] : []), ...Object.entries({ [beside.tools]: tools, ...helper.links }).flatMap(([from, to]) => ['link', from, to]), '--']
  return client.call(
    (docker) =>
      docker.createContainer({
        ...(copy?.called !== undefined && { name: copy.called }),
        Image: helper.image,
        User: '0:0',
        WorkingDir: '/',
        Env: ['LANG=C.UTF-8'],
        Entrypoint: [`${tools}/amux-init`, 'beside', ...words, ...helper.argv],
        Cmd: [],
        Labels: { ...marks(name, 'aside'), [LABEL.maker]: maker() },
        OpenStdin: true,
        StdinOnce: true,
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Healthcheck: { Test: ['NONE'] },
        HostConfig: {
          AutoRemove: copy === undefined,
          Mounts: [{ Type: 'volume', Source: KIT_VOLUME, Target: seat.kit, ReadOnly: true }, ...(locked ? [{ Type: 'volume' as const, Source: volumesOf(name).store, Target: seat.guest }] : []), ...helper.mounts],
          // It speaks with nobody. A network namespace of its own takes an engine longer than all the rest of a start.
          NetworkMode: helper.beside ? `container:${helper.beside.Id}` : 'none',
          ...(helper.beside && helper.shares && { PidMode: `container:${helper.beside.Id}` }),
          // Where an engine maps users, what a layer deletes is marked in a way that only the machine's own root sees.
          ...((copy === undefined || ids === 'mapped') && { UsernsMode: 'host' }),
          ...(copy === undefined && { CapAdd: [...(disk || helper.shares ? OVER_FILES : []), ...(net ? OVER_NETWORK : [])], SecurityOpt: [...UNLABELLED, ...(helper.attaches ? ['apparmor=unconfined'] : [])] }),
          LogConfig: { Type: 'none', Config: {} },
        },
      }),
    signal,
  )
}

interface Stream {
  readonly socket: Socket
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  readonly signal: AbortSignal | undefined
}

/** `wholly`: not before the engine, too, knows of its end. */
function program(client: Client, container: Container, stream: Stream, wholly: boolean): Program {
  let over = () => {}
  const well = new Promise<ExitStatus>((resolve) => (over = () => resolve({ code: 0 })))
  return new Program({
    ...stream,
    stderr: toEnd(stream.stderr, over),
    exit: wholly ? stream.exit : Promise.race([stream.exit, well]),
    kill: (_, word) => client.call(() => container.kill({ signal: word })).then(
      () => undefined,
      (error: unknown) => {
        if (!hasCode(error, 'not_found', 'conflict')) throw error
      },
    ),
  })
}

/** What has changed a disk says when that went well, and has let go of it at the end of its output: an engine knows later. */
async function* toEnd(source: ByteSource, over: () => void): AsyncGenerator<Uint8Array, void> {
  let last = ''
  for await (const chunk of source) {
    last = (last + Buffer.from(chunk.subarray(-ENDED.length)).toString('latin1')).slice(-ENDED.length)
    yield chunk
  }
  if (last === ENDED) over()
}

function refused(name: string, line = ''): Error {
  const refusal = refusalOf(line)
  if (refusal?.step === 'busy') return fail('conflict', `${name} is starting, or something else works on its disk`, { computer: name })
  if (refusal?.step === 'exec') return unstarted(refusal, refusal.subject, name)
  if (refusal?.step === 'link') return fail('failed', `${name} has something of its own at ${refusal.subject}, where amux's would be on a copy of its disk`, { computer: name, hint: 'Give that another name.' })
  // Without a word: whoever ends it, its own program does not.
  if (line === '') return fail('unavailable', `nothing can work beside ${name}: it ended at once`, { computer: name })
  const why = refusal ? `${refusal.step} ${refusal.subject}: ${refusal.text}` : line
  return fail('failed', `nothing can work beside ${name}: ${why}`, { computer: name })
}
