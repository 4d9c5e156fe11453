import { normalise } from '../../errors/index.ts'

export interface Finding {
  /** What was looked at. */
  readonly check: string
  /** A warning is nothing that stops amux from working here. */
  readonly state: 'ok' | 'warning' | 'broken'
  readonly message: string
  readonly hint?: string | undefined
}

export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message }
}

/** What an error says, as a finding. */
export function trouble(check: string, error: unknown, state: 'warning' | 'broken' = 'broken'): Finding {
  const { message, hint } = normalise(error)
  return { check, state, message, hint }
}
