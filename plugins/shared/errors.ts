import type { AmuxError, ErrorCode, ErrorSource } from '../../src/contract/index.ts'

export interface Details {
  readonly hint?: string | undefined
  readonly computer?: string | undefined
  readonly source?: ErrorSource
  readonly cause?: unknown
}

/** Of the provider's making, unless it says otherwise. `Extra`: what a plugin keeps with its own errors. */
export function fail<Extra extends object = object>(code: ErrorCode, message: string, details: Details & Partial<Extra> = {}): AmuxError & Partial<Extra> {
  const { cause, ...rest } = details
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  // What `Extra` names is among what was given.
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { source: 'provider' as const }, given, { code }) as AmuxError & Partial<Extra>
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Object && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

/** Why somebody gave up, as an error of ours. */
export function given(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason
  if (hasCode(reason, 'aborted', 'timeout')) return reason
  const late = reason instanceof Error && reason.name === 'TimeoutError'
  return fail(late ? 'timeout' : 'aborted', late ? 'the time limit passed' : 'gave up on request', { source: 'amux' })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw given(signal)
}
