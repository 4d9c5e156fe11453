import type { AmuxError, ErrorCode, ErrorSource } from '../../../src/contract/index.ts'

export interface Details {
  readonly hint?: string | undefined
  readonly computer?: string
  readonly source?: ErrorSource
  readonly cause?: unknown
  /** Seconds. */
  readonly retryAfter?: number | undefined
  /** What the API answered with, where it did. */
  readonly status?: number
  /** The API's own word for it. */
  readonly word?: string | undefined
}

export function fail(code: ErrorCode, message: string, details: Details = {}): AmuxError & Pick<Details, 'status' | 'word'> {
  const { cause, ...rest } = details
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { source: 'provider' as const }, given, { code })
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Object && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof Object && 'status' in error && typeof error.status === 'number' ? error.status : undefined
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
