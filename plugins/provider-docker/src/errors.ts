import type { AmuxError, ErrorCode, ErrorSource } from '../../../src/contract/index.ts'

export interface Details {
  readonly hint?: string | undefined
  readonly computer?: string | undefined
  readonly source?: ErrorSource
  readonly cause?: unknown
}

export function fail(code: ErrorCode, message: string, details: Details = {}): AmuxError {
  const { cause, ...rest } = details
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { source: 'provider' as const }, given, { code })
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Object && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

/** What the engine answered with, where it did. */
export function statusOf(error: unknown): number | undefined {
  const value: unknown = error instanceof Object && 'statusCode' in error ? error.statusCode : error instanceof Object && 'cause' in error ? statusOf(error.cause) : undefined
  return typeof value === 'number' ? value : undefined
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw given(signal)
}

/** Why somebody gave up, as an error of ours. */
export function given(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason
  if (hasCode(reason, 'aborted', 'timeout')) return reason
  const late = reason instanceof Error && reason.name === 'TimeoutError'
  return fail(late ? 'timeout' : 'aborted', late ? 'the time limit passed' : 'gave up on request', { source: 'amux' })
}
