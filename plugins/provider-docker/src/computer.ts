import { join } from 'node:path'
import type { ContainerInspectInfo } from 'dockerode'
import type { AsideOptions, Channel, Computer, ComputerInfo, ConnectContext, DiskTree, Frozen, GuestPlace, GuestStore, PreparedAside, Process, SpawnOptions, StartComputerOptions, TwinOptions } from '../../../src/contract/index.ts'
import { checkArgv } from '../../shared/checks.ts'
import { prepareAside, startAside } from './disk/aside.ts'
import { standing } from './disk/beside.ts'
import { answers, boot, bridge, socketsOf } from './run/boot.ts'
import type { Client } from './client.ts'
import { STOP_SECONDS } from './create/container.ts'
import { buildTwin } from './create/create.ts'
import { otherTrees } from './create/project.ts'
import { calledOtherwise, infoOfContainer, orphanInfo, shortfalls } from './describe.ts'
import { destroy } from './destroy.ts'
import { diskParts } from './disk/disk.ts'
import { computersOf, look, lookAt, missing, mustLook } from './engine/container.ts'
import { fail, statusOf, throwIfAborted } from './errors.ts'
import { spawnByEngine } from './run/exec.ts'
import { freeze } from './disk/freeze.ts'
import { type Meta, readMeta } from './meta.ts'
import { inside } from './names.ts'
import { hasNet, makeNet, startNet } from './net.ts'
import { noNode, readEnvironment } from './run/prepare.ts'
import { finishRelocation } from './disk/relocate.ts'
import { cleared } from './disk/copy.ts'
import { readMark } from './disk/mark.ts'
import { sinkOf } from './run/process.ts'
import { showTrees, withShown } from './disk/trees.ts'
import { leftovers } from './disk/volumes.ts'
import { wayTo } from './disk/way.ts'
import { guestStore } from './store.ts'

export class DockerComputer implements Computer {
  readonly name: string
  readonly guest: GuestPlace
  readonly store: GuestStore
  readonly #client: Client
  readonly #context: ConnectContext

  constructor(name: string, client: Client, context: ConnectContext) {
    this.name = name
    this.guest = { store: inside.store, run: inside.run, booted: true, near: client.here }
    this.store = guestStore(client, name)
    this.#client = client
    this.#context = context
  }

  async info(): Promise<ComputerInfo> {
    const found = await look(this.#client, this.name)
    if (found === undefined) return this.#orphaned()
    const info = infoOfContainer(this.name, found)
    if (info.state === 'broken') return info
    const meta = await withShown(this.#client, this.#context, found, this.#meta(found))
    return { ...info, ...(meta.project && { worktrees: otherTrees(meta.project) }), capabilities: await shortfalls(this.#client, this.#context, meta, found) }
  }

  async start(options: StartComputerOptions = {}): Promise<void> {
    const there = (await look(this.#client, this.name)) !== undefined || (await finishRelocation(this.#client, this.name))
    if (!there) throw this.#incomplete(await this.#orphaned())
    await boot(this.#client, this.name, this.#context, options)
    if (!options.project?.worktrees?.length) return
    const found = await mustLook(this.#client, this.name)
    await showTrees(this.#client, this.#context, found, this.#meta(found), options.project)
  }

  async stop(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const found = await mustLook(this.#client, this.name)
    throwIfAborted(options.signal)
    if (found.State.Paused) await this.#client.call((docker) => docker.getContainer(found.Id).unpause())
    if (!found.State.Running) return
    await this.#client.call((docker) => docker.getContainer(found.Id).stop({ t: STOP_SECONDS })).catch((error: unknown) => {
      if (statusOf(error) !== 304) throw error
    })
  }

  async delete(): Promise<void> {
    await destroy(this.#client, this.#context, this.name)
  }

  async spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<Process> {
    checkArgv(argv)
    const { meta, found } = await this.#running()
    const { user, project, kit } = meta
    const base = options.user === undefined ? { HOME: user.home, USER: user.name, LOGNAME: user.name } : {}
    const own = await readEnvironment(this.#client, found.Id)
    return spawnByEngine(this.#client, this.name, `${inside.kit}/${kit}/amux-init`, {
      ...options,
      argv,
      user: options.user ?? `${user.uid}:${user.gid}`,
      cwd: absolute(options.cwd, user.home) ?? project?.path ?? user.home,
      env: { LANG: 'C.UTF-8', ...base, ...(options.tty && { TERM: 'xterm-256color' }), ...own, ...options.env },
    })
  }

  async channel(): Promise<Channel> {
    const { meta } = await this.#running()
    // Somebody else started it, or a guest could not be until now.
    if (!(await answers(this.#client, meta)) && !(await boot(this.#client, this.name, this.#context))) throw noNode(this.name)
    const sockets = socketsOf(meta)
    if (sockets !== undefined) return { unix: join(sockets, 'guest.sock') }
    const { stdout, socket, close } = await bridge(this.#client, meta)
    return { source: stdout, sink: sinkOf(socket), close }
  }

  async aside(argv: readonly string[], options: AsideOptions = {}): Promise<Process> {
    checkArgv(argv)
    return startAside(this.#client, this.#context, this.name, argv, options)
  }

  async prepareAside(argv: readonly string[], options: AsideOptions = {}): Promise<PreparedAside> {
    checkArgv(argv)
    return prepareAside(this.#client, this.#context, this.name, argv, options)
  }

  async twin(options: TwinOptions): Promise<Computer> {
    throwIfAborted(options.signal)
    await buildTwin(this.#client, this.#context, this.name, options)
    return new DockerComputer(options.name, this.#client, this.#context)
  }

  async disk(): Promise<readonly DiskTree[]> {
    const found = await mustLook(this.#client, this.name)
    const meta = await withShown(this.#client, this.#context, found, this.#meta(found))
    const { root } = await wayTo(this.#client, this.#context, meta, found)
    return diskParts(meta, root, root !== undefined && (await standing(this.#client, meta)).own).map(({ tree }) => tree)
  }

  async freeze(): Promise<Frozen> {
    // Another one may hold it at the moment.
    const found = await mustLook(this.#client, this.name)
    if (!found.State.Running) throw fail('not_running', `${this.name} does not run`, { computer: this.name })
    const frozen = await freeze(this.#client, found.Id, this.#meta(found))
    if (frozen) return frozen
    throw fail('unsupported', 'programs on an engine elsewhere are not made to stand still: nobody could be sure to let them go on')
  }

  async interrupted(): Promise<boolean> {
    const there = await look(this.#client, this.name)
    if (there === undefined) await finishRelocation(this.#client, this.name)
    return (await readMark(this.#client, there ?? (await mustLook(this.#client, this.name)))) !== undefined
  }

  close(): Promise<void> {
    return cleared()
  }

  async guardNetwork(): Promise<void> {
    const found = await mustLook(this.#client, this.name)
    const meta = this.#meta(found)
    if (meta.access === 'none') return
    if (!(await hasNet(this.#client, this.name))) await makeNet(this.#client, this.#context, meta)
    if (found.State.Running) await startNet(this.#client, this.#context, meta, found)
  }

  async #running(): Promise<{ readonly meta: Meta; readonly found: ContainerInspectInfo }> {
    const found = await mustLook(this.#client, this.name)
    if (found.State.Running && !found.State.Paused) return { meta: this.#meta(found), found }
    throw fail('not_running', `${this.name} ${found.State.Paused ? 'is paused' : 'does not run'}`, { computer: this.name, hint: `Start it: amux computer start -c ${this.name}` })
  }

  async #orphaned(): Promise<ComputerInfo> {
    const [left, there, all] = await Promise.all([leftovers(this.#client, this.name), lookAt(this.#client, this.name), computersOf(this.#client, this.name)])
    if (left === undefined) throw missing(this.name)
    const called = all.map(({ Names }) => calledOtherwise(this.name, Names)).find((one) => one !== undefined)
    return orphanInfo(this.name, { ...left, called, taken: there !== undefined })
  }

  #incomplete({ problem }: ComputerInfo): Error {
    return fail('failed', `${this.name} cannot start: ${problem}`, { computer: this.name, hint: `To give up what is left of it: amux computer rm ${this.name}` })
  }

  #meta({ Config }: ContainerInspectInfo): Meta {
    return readMeta(this.name, Config.Labels)
  }
}

function absolute(cwd: string | undefined, home: string): string | undefined {
  return cwd === undefined || cwd.startsWith('/') ? cwd : `${home}/${cwd}`
}
