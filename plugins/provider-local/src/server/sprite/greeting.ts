import type { SessionInfo } from '../../../../../src/contract/index.ts'

/** The first that a client of a session is told. */
export interface Greeting {
  readonly session_id: string
  /** Ours: the session's own for ever, where a process id comes again after a restart. It can be attached to by this, too. */
  readonly amux_id: string
  readonly command: string
  /** Unix seconds. */
  readonly created: number
  readonly cols: number
  readonly rows: number
  readonly is_owner: boolean
  readonly tty: boolean
  /** Ours: absolute offset of the first byte that comes, of each stream without a terminal. */
  readonly stdout_offset?: number
  readonly stderr_offset?: number
  /** Ours: bytes of input that have come so far. */
  readonly stdin_offset?: number
}

/** What everybody is told. */
export type SessionGreeting = Pick<Greeting, 'session_id' | 'amux_id' | 'command' | 'created'>

export function idOf({ pid }: SessionInfo): string {
  return String(pid)
}

export function greetingOf(session: SessionInfo): SessionGreeting {
  return { session_id: idOf(session), amux_id: session.id, command: session.argv.join(' '), created: Math.floor(Date.parse(session.startedAt) / 1000) }
}
