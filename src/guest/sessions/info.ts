import type { ExitStatus, SessionInfo, SessionState, TerminalSize } from '../../contract/index.ts'
import type { Facts } from './record.ts'

interface Moment {
  readonly size: TerminalSize | undefined
  readonly viewers: number
  readonly owned: boolean
  readonly lastActive: number
}

/** A session as clients see it now. */
export function describe(facts: Facts, { size, viewers, owned, lastActive }: Moment): SessionInfo {
  const { id, name, argv, cwd, user, pid, startedAt, state, labels } = facts
  return {
    id,
    ...(name !== undefined && { name }),
    argv,
    cwd,
    user,
    tty: size !== undefined,
    ...(size !== undefined && { size }),
    pid,
    startedAt,
    state,
    viewers,
    owned,
    lastActiveAt: new Date(lastActive).toISOString(),
    labels,
  }
}

/** What clients are told of an end that is not the program's own. */
export const endings = {
  stopped: { code: 'not_running', message: 'the computer was stopped' },
  restored: { code: 'not_running', message: 'the computer was restored to a checkpoint' },
  lost: { code: 'connection_lost', message: 'the program was lost on the computer' },
} as const

/** How the program itself ended, if it did and that is known. */
export function statusOf(state: SessionState): ExitStatus | undefined {
  if (state.status === 'exited') return { code: state.code }
  return state.status === 'killed' ? { signal: state.signal } : undefined
}

/** The state of what ended so. */
export function endedBy({ code, signal }: ExitStatus, endedAt: string): SessionState {
  return signal === undefined ? { status: 'exited', code: code ?? 0, endedAt } : { status: 'killed', signal, endedAt }
}
