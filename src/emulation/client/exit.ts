import type { AmuxError, ExitStatus, SessionInfo } from '../../contract/index.ts'
import { type ErrorDetails, fail } from '../../errors/index.ts'
import type { SessionHost } from './host.ts'

/** How an ended session ended, as far as its record says. */
export function exitOf(session: SessionInfo): ExitStatus | undefined {
  const { state } = session
  if (state.status === 'exited') return { code: state.code }
  if (state.status === 'killed') return { signal: state.signal }
  return undefined
}

const reasons = {
  stopped: 'it ended when the computer was stopped',
  lost: 'the guest lost it',
  restored: 'it ended when a checkpoint was restored',
} as const

export function endedWithoutStatus(reason: keyof typeof reasons, host: SessionHost): AmuxError {
  return fail('connection_lost', `nobody knows how the program ended: ${reasons[reason]}`, { source: 'transport', ...names(host) })
}

/** The connection broke for good while the program ran: what is known of it now. */
export function lostProgram(cause: AmuxError, session: SessionInfo | undefined, tied: boolean, host: SessionHost): AmuxError {
  if (cause.code === 'not_running') return gone('not_running', 'the computer was stopped, and the program with it', cause, host)
  if (cause.code === 'not_found' && cause.source === 'provider') return gone('not_found', 'the computer was deleted, and the program with it', cause, host)
  return fateUnknown(cause, session, tied, host)
}

function gone(code: 'not_running' | 'not_found', message: string, cause: AmuxError, host: SessionHost): AmuxError {
  const hint = code === 'not_running' && host.computer !== undefined ? { hint: `amux computer start ${host.computer}` } : {}
  return fail(code, message, { source: 'transport', ...names(host), cause, ...hint })
}

function fateUnknown(cause: AmuxError, session: SessionInfo | undefined, tied: boolean, host: SessionHost): AmuxError {
  const why = `the connection to the computer broke (${cause.message})`
  const details = { source: 'transport', ...names(host), cause } as const
  if (tied) return fail('connection_lost', `${why}; the program was bound to it and is ended`, details)
  if (session === undefined) return fail('connection_lost', `${why}; whether the program was started is unknown`, { ...details, hint: 'amux computer session ls' })
  const computer = host.computer === undefined ? '' : ` -c ${host.computer}`
  return fail('connection_lost', `${why}; the program may still run`, { ...details, hint: `amux computer attach ${session.id}${computer}` })
}

export function names(host: SessionHost): ErrorDetails {
  return { provider: host.provider, computer: host.computer }
}
