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
  stopped: 'it ended when the computer stopped',
  lost: 'the guest lost it',
  restored: 'it ended when a checkpoint was restored',
} as const

export function endedWithoutStatus(reason: keyof typeof reasons, host: SessionHost): AmuxError {
  return fail('connection_lost', `nobody knows how the program ended: ${reasons[reason]}`, { source: 'transport', ...names(host) })
}

/** The connection broke for good while the program ran. */
export function fateUnknown(cause: AmuxError, session: SessionInfo | undefined, tied: boolean, host: SessionHost): AmuxError {
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
