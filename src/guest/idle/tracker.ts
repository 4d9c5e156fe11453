import type { IdleState, SessionInfo } from '../../contract/index.ts'
import { type Busy, CpuWatch } from './cpu.ts'

export interface Tunnel {
  readonly host: string
  readonly port: number
}

interface Trace {
  /** As the session reported it. */
  readonly stamp: string
  /** On the monotonic clock. */
  readonly at: number
}

/**
 * Says whether the computer works, worked out when somebody asks. Ages are kept on the monotonic clock, which stands
 * still while the machine is suspended: a laptop that wakes up has not been idle all night.
 */
export class IdleTracker {
  readonly #cpu = new CpuWatch()
  readonly #traces = new Map<string, Trace>()
  #asked = performance.now()
  #lastWork = performance.now()

  /** `list` is asked last: what it tells is from the moment of the answer. */
  async state(list: () => readonly SessionInfo[], tunnels: Iterable<Tunnel>, window: number): Promise<IdleState> {
    const busy = await this.#cpu.busy()
    const now = performance.now()
    const sessions = list()
    const living = sessions.filter(running)
    const because = [
      ...this.#active(sessions, now, window),
      ...busy.slice(0, 3).map((one) => describe(one, living)),
      ...new Set([...tunnels].map(({ host, port }) => `tunnel to ${host}:${port}`)),
    ]
    if (busy.length > 0 || [...tunnels].length > 0) this.#lastWork = now
    this.#asked = now
    if (because.length > 0 || now - this.#lastWork < window) return { because: because.length > 0 ? because : [`worked ${age(now - this.#lastWork)} ago`] }
    return { since: new Date(Date.now() - (now - this.#lastWork)).toISOString(), because: [] }
  }

  /** Something was asked of the computer just now. */
  touch(): void {
    this.#lastWork = performance.now()
  }

  /** An ended session has done its work too, but nothing holds the computer awake any more. */
  #active(sessions: readonly SessionInfo[], now: number, window: number): string[] {
    const lines: string[] = []
    for (const session of sessions) {
      const at = this.#lastActive(session, now)
      this.#lastWork = Math.max(this.#lastWork, at)
      if (running(session) && now - at < window) lines.push(`session ${session.name ?? session.id} (input or output ${age(now - at)} ago)`)
    }
    for (const id of this.#traces.keys()) if (!sessions.some((session) => session.id === id)) this.#traces.delete(id)
    return lines
  }

  /** The wall clock only orders what happened since the last question, and never says it was before that. */
  #lastActive(session: SessionInfo, now: number): number {
    const known = this.#traces.get(session.id)
    if (known?.stamp === session.lastActiveAt) return known.at
    const wall = Math.max(0, Date.now() - Date.parse(session.lastActiveAt))
    const at = Math.max(this.#asked, now - wall)
    this.#traces.set(session.id, { stamp: session.lastActiveAt, at })
    return at
  }
}

function describe(busy: Busy, living: readonly SessionInfo[]): string {
  const session = living.find(({ pid }) => busy.line.includes(pid))
  const share = `CPU ${Math.round(busy.share * 100)} %`
  return session === undefined ? `process ${busy.name}, pid ${busy.pid} (${share})` : `session ${session.name ?? session.id} (${busy.name}, ${share})`
}

function running(session: SessionInfo): boolean {
  return session.state.status === 'running'
}

function age(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
