import { constants } from 'node:os'
import { refuse } from '../http/errors.ts'

/** `SIGTERM` from `TERM`, `sigterm` or `15`. */
export function signalName(text: string): string {
  const upper = text.toUpperCase()
  const name = /^\d+$/.test(upper) ? Object.entries(constants.signals).find(([, number]) => number === Number(upper))?.[0] : upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (name !== undefined && Object.hasOwn(constants.signals, name)) return name
  throw refuse(400, 'invalid_signal', `there is no signal ${JSON.stringify(text)}`)
}

/** As a shell tells it: 128 + n. */
export function codeOfSignal(signal: string): number {
  return 128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0)
}
