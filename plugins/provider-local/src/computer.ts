import { statSync } from 'node:fs'
import { join } from 'node:path'
import type {
  AsideOptions,
  Channel,
  Computer,
  ComputerInfo,
  ConnectContext,
  DiskTree,
  Frozen,
  GuestPlace,
  GuestStore,
  Process,
  SpawnOptions,
  StartComputerOptions,
  TwinOptions,
} from '../../../src/contract/index.ts'
import { checkArgv } from '../../shared/checks.ts'
import { checkProject } from '../../shared/project.ts'
import { startAside } from './aside.ts'
import { boot } from './boot.ts'
import { destroy } from './destroy.ts'
import { diskTrees } from './disk.ts'
import { buildTwin } from './create.ts'
import { diskFull, fail, hasCode, throwIfAborted } from './errors.ts'
import { freeze, thaw } from './freeze.ts'
import { readEnv, tierEnv, tierPath } from './guest.ts'
import { halt } from './halt.ts'
import { shortfalls } from './capabilities.ts'
import { inside, type Layout, layout } from './layout.ts'
import { type Meta, type Project, missing, readMeta, writeMeta } from './meta.ts'
import { networkName, networkShortfalls } from './network.ts'
import { packagesState } from './packages.ts'
import { ROOT_CAPS } from './plan-root.ts'
import { startProcess } from './process.ts'
import { type Running, running } from './status.ts'
import { guestStore } from './store.ts'
import { showTrees, shownTrees } from './worktrees.ts'

const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export class LocalComputer implements Computer {
  readonly name: string
  readonly guest: GuestPlace = { store: inside.store, run: inside.run, booted: true, near: true }
  readonly store: GuestStore
  readonly #place: Layout
  readonly #context: ConnectContext

  constructor(place: Layout, context: ConnectContext) {
    this.name = place.name
    this.store = guestStore(place)
    this.#place = place
    this.#context = context
  }

  async info(): Promise<ComputerInfo> {
    return describe(this.#place)
  }

  async start(options: StartComputerOptions = {}): Promise<void> {
    try {
      await boot(this.#place, await this.#located(options), this.#context, options.signal)
    } catch (error) {
      // Whatever stumbled over it first: it was deleted meanwhile.
      if (!exists(this.#place.dir)) throw missing(this.name)
      throw diskFull(error, this.#context.dataDir)
    }
  }

  async stop(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (!exists(this.#place.dir)) throw missing(this.name)
    await halt(this.#place, options)
  }

  async delete(): Promise<void> {
    await destroy(this.#context.dataDir, this.#place)
  }

  async spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<Process> {
    checkArgv(argv)
    const meta = await readMeta(this.#place)
    const { first } = this.#running()
    const { user } = meta
    const who = options.user ?? `${user.uid}:${user.gid}`
    const args = [first.pid, first.ticks, meta.tier === 'root' ? ROOT_CAPS : 'none', who, options.cwd ?? meta.project?.path ?? '', options.tty ? `${options.tty.cols}x${options.tty.rows}` : '-']
    return startProcess({
      args: ['enter', ...args.map(String), ...argv],
      env: await this.#environment(meta, options),
      computer: this.name,
      tty: options.tty !== undefined,
      ...(options.signal && { signal: options.signal }),
    })
  }

  async channel(): Promise<Channel> {
    this.#running()
    return { unix: join(this.#place.run, 'guest.sock') }
  }

  async aside(argv: readonly string[], options: AsideOptions = {}): Promise<Process> {
    checkArgv(argv)
    return startAside(this.#place, await readMeta(this.#place), this.#context, argv, options)
  }

  async twin(options: TwinOptions): Promise<Computer> {
    throwIfAborted(options.signal)
    try {
      await buildTwin(this.#context, this.#place, await readMeta(this.#place), options)
    } catch (error) {
      throw diskFull(error, this.#context.dataDir)
    }
    return new LocalComputer(layout(this.#context.dataDir, options.name), this.#context)
  }

  async disk(): Promise<readonly DiskTree[]> {
    const meta = await readMeta(this.#place)
    if (meta.project && !meta.copied) this.#stillThere(meta.project.path)
    return diskTrees(this.#place, meta)
  }

  async freeze(): Promise<Frozen> {
    return freeze(this.#place, this.#running())
  }

  /** Its record, with the project where it is now. */
  async #located(options: StartComputerOptions): Promise<Meta> {
    const old = await readMeta(this.#place)
    const now = running(this.#place)
    const project = old.project && options.project && !old.copied ? checkProject(options.project) : old.project
    if (now) await thaw(this.#place, now)
    if (now) return this.#grown(this.#unmoved(old, project?.path), project, now)
    if (old.project && !old.copied && options.project === undefined) this.#stillThere(old.project.path)
    const packages = packagesState(old.root ?? '/')
    if (old.packages !== undefined && old.packages !== packages) {
      this.#context.progress(
        `The system below ${this.name} changed since it started last (${old.root ?? 'packages of this machine'}): what was installed on the computer may no longer fit it`,
      )
    }
    const meta: Meta = { ...old, packages, ...(project && { project }) }
    if (JSON.stringify(meta) !== JSON.stringify(old)) await writeMeta(this.#place, meta)
    return meta
  }

  /** With the worktrees that are new since it started, as far as they can be put there now. */
  async #grown(old: Meta, project: Project | undefined, now: Running): Promise<Meta> {
    if (old.project === undefined || project === undefined || old.copied) return old
    const worktrees = await showTrees(old, project, now, this.#context)
    const meta: Meta = { ...old, project: { ...old.project, worktrees } }
    if (JSON.stringify(meta) !== JSON.stringify(old)) await writeMeta(this.#place, meta)
    return meta
  }

  #unmoved(meta: Meta, path: string | undefined): Meta {
    if (path === meta.project?.path) return meta
    throw fail('conflict', `${this.name} runs with the project at ${meta.project?.path ?? '?'}, which is at ${path ?? '?'} now`, {
      computer: this.name,
      hint: `Restart it: amux computer restart -c ${this.name}`,
    })
  }

  #stillThere(path: string): void {
    if (exists(path)) return
    throw fail('failed', `the project of ${this.name} is not at ${path} any more`, {
      computer: this.name,
      hint: 'Run amux in the project where it is now, or put it back.',
    })
  }

  #running() {
    const now = running(this.#place)
    if (now) return now
    if (!exists(this.#place.dir)) throw missing(this.name)
    throw fail('not_running', `${this.name} does not run`, { computer: this.name, hint: `Start it: amux computer start -c ${this.name}` })
  }

  async #environment(meta: Meta, options: SpawnOptions): Promise<Record<string, string>> {
    const { name, home } = meta.user
    const own = options.user === undefined ? { HOME: home, USER: name, LOGNAME: name } : {}
    const base = { PATH: [...tierPath(meta), ...SYSTEM_PATH].join(':'), LANG: 'C.UTF-8', ...own, ...(options.tty && { TERM: 'xterm-256color' }) }
    return { ...base, ...tierEnv(meta), ...(await readEnv(this.#place)), ...options.env }
  }
}

/** From the record and the processes; a record that cannot be read makes it `broken`, and nothing else fails. */
export async function describe(place: Layout): Promise<ComputerInfo> {
  const now = running(place)
  const state = now ? 'running' : 'stopped'
  try {
    const meta = await readMeta(place)
    return {
      name: place.name,
      state,
      createdAt: meta.createdAt,
      labels: meta.labels,
      user: meta.user,
      capabilities: { ...shortfalls(meta), ...networkShortfalls(meta) },
      details: { tier: meta.tier, system: meta.root ?? 'this machine', disk: place.disk, network: networkName(meta), ...moved(meta, now) },
      ...(meta.project && { workspace: meta.project.path, worktrees: meta.copied ? (meta.project.worktrees ?? []) : shownTrees(meta.project, now) }),
      ...(meta.copied && { ownWorkspace: true }),
    }
  } catch (error) {
    if (!hasCode(error, 'corrupt')) throw error
    // Whatever lies here amux made, though it is not known for what.
    const since = statSync(place.dir, { throwIfNoEntry: false })?.birthtime ?? new Date(0)
    return { name: place.name, state: 'broken', createdAt: since.toISOString(), labels: { 'amux.project': '' }, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** What it has mounted stays at the path where it was. */
function moved({ project, copied }: Meta, now: Running | undefined): Record<string, string> {
  if (project === undefined || copied || now === undefined || exists(project.path)) return {}
  return { note: `the project is no longer at ${project.path} on this machine; restart it where the project is now` }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
