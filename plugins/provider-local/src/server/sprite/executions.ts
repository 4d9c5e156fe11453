import type { Attachment, SessionInfo } from '../../../../../src/contract/index.ts'
import { codeOf, refuse } from '../http/errors.ts'
import { greetingOf, idOf } from './greeting.ts'
import type { Peer } from './peer.ts'
import { PipedSession } from './pipes.ts'
import type { Served } from './served.ts'
import { Terminals } from './terminals.ts'

/** Kept on the session itself, so that it holds for the server that comes after this one. */
const LIMIT = 'sprites.max-run'
/** How long an ended session is known to have been one. */
const REMEMBERED_MS = 60_000
/** How long an ended session that may run for ever is kept for the client that it lost. */
const UNSEEN_MS = 60_000
const GRACE_MS = 5000

export interface Start {
  readonly argv: readonly string[]
  readonly cwd?: string
  /** Replaces the computer's own. */
  readonly env?: Readonly<Record<string, string>>
  readonly tty?: { readonly cols: number; readonly rows: number }
  /** False: its input is at its end. */
  readonly input: boolean
  /** After its last client left, in milliseconds; 0: for ever. */
  readonly maxRun: number
}

/** The exec sessions of one sprite. Their ids are process ids, and so may come again. */
export class Executions {
  readonly #served: Served
  readonly #terminals: Terminals
  readonly #piped = new Map<string, PipedSession>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #ended = new Map<string, NodeJS.Timeout>()
  /** Its sessions were looked at for those whose time runs out. */
  #recovered = false
  #closed = false

  constructor(served: Served) {
    this.#served = served
    this.#terminals = new Terminals(served, (session) => this.#leftAlone(session), (session) => this.#over(session))
  }

  /** Throws what kept it from starting. */
  async begin({ argv, cwd, env, tty, input, maxRun }: Start): Promise<Attachment> {
    const options = { ...(cwd !== undefined && { cwd }), ...(env && { env, bare: true }), ...(tty && { tty }), labels: { [LIMIT]: String(maxRun) } }
    const program = await this.#served.awake((computer) => computer.sessions.start(argv, options))
    if (!input && !tty) void program.stdin.end().catch(() => undefined)
    clearTimeout(this.#ended.get(idOf(program.session)))
    this.#ended.delete(idOf(program.session))
    return program
  }

  /** A new session's first client. */
  serve(program: Attachment, peer: Peer): void {
    if (program.session.tty) this.#terminals.serve(program, peer)
    else this.#servePiped(program, [0, 0]).join(peer)
  }

  /** 404 where no such session lives, or waits to be read to its end by a client that was lost. */
  async find(id: string): Promise<SessionInfo> {
    const found = (await this.list()).find((session) => idOf(session) === id || session.id === id)
    if (found) return found
    // Of two with one process id, the computer was restarted between: the newer.
    const unseen = [...this.#piped.values()].findLast(({ program: { session } }) => idOf(session) === id || session.id === id)
    if (unseen) return unseen.program.session
    throw refuse(404, 'not_found', `session not found: ${id}`)
  }

  /** Those that live, whoever started them. */
  async list(): Promise<readonly SessionInfo[]> {
    if ((await this.#served.info()).state !== 'running') return []
    const sessions = await this.#served.computer.sessions.list()
    if (!this.#recovered) this.#recover(sessions)
    return sessions.filter(({ state }) => state.status === 'running')
  }

  /** Bytes it has written, as far as this server saw them. */
  totalOf(session: SessionInfo): number {
    return this.#piped.get(session.id)?.total ?? 0
  }

  async attach(session: SessionInfo): Promise<(peer: Peer) => void> {
    const piped = this.#piped.get(session.id)
    if (piped) return (peer) => this.#joined(session, () => piped.join(peer))
    const { sessions } = this.#served.computer
    if (session.tty) {
      const program = await sessions.attach(session.id, session.size ? { size: session.size } : {})
      return (peer) => this.#joined(session, () => this.#terminals.serve(program, peer))
    }
    const base: [number, number] = [0, 0]
    const program = await sessions.attach(session.id, { from: { stdout: 0, stderr: 0 } })
    program.onSkipped = (bytes, stream) => (base[stream === 'stdout' ? 0 : 1] += bytes)
    // What is not kept any more is told before this is answered.
    await sessions.get(session.id)
    // Another client may have been as quick.
    return (peer) => this.#joined(session, () => (this.#piped.get(session.id) ?? this.#servePiped(program, base, true)).join(peer))
  }

  /** It was one, not long ago. */
  ended(id: string): boolean {
    return this.#ended.has(id)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of [...this.#timers.values(), ...this.#ended.values()]) clearTimeout(timer)
    // What comes from now on is kept on the computer, for the server after this one.
    await Promise.allSettled([...this.#piped.values()].map(({ program }) => program.detach()))
    this.#piped.clear()
  }

  #joined(session: SessionInfo, join: () => void): void {
    clearTimeout(this.#timers.get(session.id))
    this.#timers.delete(session.id)
    join()
  }

  /** `adopted`: it began before this server knew it. */
  #servePiped(program: Attachment, base: readonly [number, number], adopted = false): PipedSession {
    const { session } = program
    const piped = new PipedSession(program, greetingOf(session), base, () => this.#leftAlone(session), adopted)
    this.#piped.set(session.id, piped)
    void piped.over.then(() => this.#over(session))
    return piped
  }

  /** Nobody is connected: its time runs, if it has one. */
  #leftAlone(session: SessionInfo): void {
    clearTimeout(this.#timers.get(session.id))
    const limit = Number(session.labels[LIMIT] ?? 0) || (this.#piped.get(session.id)?.ended === true ? UNSEEN_MS : 0)
    if (limit === 0) return
    const timer = setTimeout(() => void this.#outstay(session), limit)
    timer.unref()
    this.#timers.set(session.id, timer)
  }

  async #outstay(session: SessionInfo): Promise<void> {
    this.#piped.get(session.id)?.release()
    await this.#served.computer.sessions.kill(session.id, { grace: GRACE_MS }).catch(() => undefined)
    this.#over(session)
  }

  /** It leaves the list; that it was there is remembered for a while. */
  #over(session: SessionInfo): void {
    if (this.#closed) return
    const id = idOf(session)
    this.#piped.delete(session.id)
    clearTimeout(this.#timers.get(session.id))
    this.#timers.delete(session.id)
    const timer = setTimeout(() => this.#ended.delete(id), REMEMBERED_MS)
    timer.unref()
    this.#ended.set(id, timer)
    // Only those that this server started: others want to know how theirs ended.
    if (LIMIT in session.labels) void this.#forget(session.id)
  }

  async #forget(id: string): Promise<void> {
    await this.#served.computer.sessions.remove(id).catch((error: unknown) => {
      if (codeOf(error) === 'conflict') setTimeout(() => void this.#served.computer.sessions.remove(id).catch(() => undefined), 1000).unref()
    })
  }

  /** Sessions of a server before this one: those that ended meanwhile go, those whose time runs get it anew. */
  #recover(sessions: readonly SessionInfo[]): void {
    this.#recovered = true
    for (const session of sessions.filter(({ id, labels }) => LIMIT in labels && !this.#piped.has(id))) {
      if (session.state.status !== 'running') void this.#forget(session.id)
      else if (session.viewers === 0) {
        this.#leftAlone(session)
        this.#terminals.watch(session)
      }
    }
  }
}
