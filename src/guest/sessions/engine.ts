import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionInfo } from '../../contract/index.ts'
import { type GuestConfig, Place, type StartRequest } from '../../protocol/index.ts'
import { GuestError } from '../wire.ts'
import { Holder, toStatus } from './holder.ts'
import { planLaunch } from './plan.ts'
import { type EndReason, forgetEnding, readEnding, writeEnding } from './ending.ts'
import { createRecord, deleteRecord, type Facts, lastWritten, readExit, readRecords } from './record.ts'
import type { CreateScreen } from './screen-type.ts'
import { Session, type SessionHooks } from './session.ts'
import { Supply } from './supply.ts'

/** For the last words to clients. Its supervisor waits longer. */
const GOODBYE_MS = 250

export interface EngineDeps {
  readonly createScreen: CreateScreen
}

/** Every session of a computer. */
export class SessionEngine {
  readonly #config: GuestConfig
  readonly #root: string
  readonly #hooks: SessionHooks
  readonly #sessions = new Map<string, Session>()
  /** Names of those that are about to be. */
  readonly #claimed = new Set<string>()
  readonly #supply: Supply
  readonly #supervisor = process.env['AMUX_INIT'] ?? ''

  constructor(config: GuestConfig, deps: EngineDeps) {
    this.#config = config
    this.#root = join(config.store, Place.sessions)
    this.#hooks = { config, createScreen: deps.createScreen, forget: (session) => this.#forget(session) }
    this.#supply = new Supply(join(config.run, Place.initSocket))
    mkdirSync(this.#root, { recursive: true, mode: 0o700 })
  }

  /** Finds the sessions that live on from before, and what became of the others. */
  async recover(): Promise<void> {
    const ending = readEnding(this.#config.store)
    await Promise.all(readRecords(this.#root).map(({ dir, facts }) => this.#recoverOne(dir, facts, ending)))
    forgetEnding(this.#config.store)
  }

  /** `expected`: as what the client that starts it will join. */
  async start(request: StartRequest, expected?: 'owner' | 'viewer'): Promise<Session> {
    const plan = planLaunch(this.#config, request)
    const { name, labels = {}, tty, detached = false, tied = false, argv } = request
    const release = this.#claim(name)
    const id = this.#newId()
    const facts: Facts = {
      id,
      ...(name !== undefined && { name }),
      argv,
      cwd: plan.launch.cwd,
      user: plan.user,
      ...(tty !== undefined && { size: { cols: tty.cols, rows: tty.rows } }),
      pid: 0,
      startedAt: new Date().toISOString(),
      labels,
      state: { status: 'running' },
      supervisor: this.#supervisor,
      kept: (detached || tty !== undefined) && !tied,
      foreground: !detached && tty === undefined,
      tied,
      foreign: 0,
      base: [0, 0],
    }
    const dir = createRecord(this.#root, facts)
    const session = new Session(dir, facts, this.#hooks)
    session.expected = expected
    try {
      const launch = { ...plan.launch, dir, socket: this.#socketOf(id) }
      session.begin(await this.#supply.take().start(launch, session, session.audience.begin()))
    } catch (error) {
      rmSync(dir, { recursive: true, force: true })
      throw error
    } finally {
      release()
    }
    if (!plan.launch.stdin) session.keyboard.close()
    this.#sessions.set(id, session)
    setImmediate(() => this.#supply.restock())
    return session
  }

  /** Newest first. */
  list(): SessionInfo[] {
    return [...this.#sessions.values()].map((session) => session.info()).toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
  }

  /** How many programs run. */
  get living(): number {
    return [...this.#sessions.values()].filter((session) => session.running).length
  }

  /** By id, by living name, else by the name of the one that began last: who waits for a build may come too late. */
  get(id: string): Session {
    const found = this.#sessions.get(id) ?? this.#named(id) ?? this.#lastNamed(id)
    if (found === undefined) throw new GuestError('not_found', `there is no session ${JSON.stringify(id)}`, { hint: 'amux computer session ls' })
    return found
  }

  /** Forgets an ended one and its logs. */
  remove(id: string): void {
    const session = this.get(id)
    if (session.running) {
      throw new GuestError('conflict', `session ${session.name ?? session.id} still runs`, { hint: `amux computer session kill ${session.id}` })
    }
    this.#forget(session)
  }

  /** What sessions will say that end with the computer, whether it stops in good order or not. */
  announce(reason: EndReason): void {
    writeEnding(this.#config.store, reason)
  }

  /** The computer stops: says so in every record, and to everybody, while there is time. */
  async stop(): Promise<void> {
    const ending = readEnding(this.#config.store)
    const told = [...this.#sessions.values()].map((session) => session.close(ending))
    await Promise.race([Promise.all(told), sleep(GOODBYE_MS)])
  }

  #forget(session: Session): void {
    this.#sessions.delete(session.id)
    session.release()
    void deleteRecord(session.dir)
  }

  #named(name: string): Session | undefined {
    return [...this.#sessions.values()].find((session) => session.running && session.name === name)
  }

  #lastNamed(name: string): Session | undefined {
    const newest = this.list().find((info) => info.name === name)
    return newest && this.#sessions.get(newest.id)
  }

  #claim(name: string | undefined): () => void {
    if (name === undefined) return () => {}
    if (this.#claimed.has(name) || this.#named(name) !== undefined) {
      throw new GuestError('conflict', `a living session is called ${JSON.stringify(name)} already`, { hint: `amux computer attach ${name}` })
    }
    this.#claimed.add(name)
    return () => void this.#claimed.delete(name)
  }

  #newId(): string {
    for (;;) {
      const id = BigInt(`0x${randomBytes(5).toString('hex')}`).toString(36).padStart(8, '0')
      if (!this.#sessions.has(id) && !existsSync(join(this.#root, id))) return id
    }
  }

  #socketOf(id: string): string {
    return join(this.#config.run, Place.sessionSockets, id)
  }

  async #recoverOne(dir: string, facts: Facts, ending: EndReason): Promise<void> {
    const session = new Session(dir, facts, this.#hooks)
    const living = facts.state.status === 'running'
    if (living && (await this.#resume(session))) return
    if (facts.tied) return deleteRecord(dir)
    const written = lastWritten(dir)
    const exit = readExit(dir)
    session.recall()
    if (living && exit !== undefined) session.exited(toStatus(exit.bySignal, exit.value))
    await session.close(facts.supervisor === this.#supervisor ? 'lost' : ending, written)
    this.#sessions.set(facts.id, session)
  }

  async #resume(session: Session): Promise<boolean> {
    const socket = this.#socketOf(session.id)
    if (!existsSync(socket)) return false
    this.#sessions.set(session.id, session)
    session.adopt()
    try {
      session.begin(await new Holder(socket).resume(session))
      return true
    } catch {
      this.#sessions.delete(session.id)
      rmSync(socket, { force: true })
      return false
    }
  }
}
