import type { AmuxError, ErrorCode, ErrorSource } from '../contract/index.ts'
import { codes } from './codes.ts'

export interface ErrorDetails {
  readonly hint?: string | undefined
  readonly source?: ErrorSource | undefined
  readonly provider?: string | undefined
  readonly computer?: string | undefined
  readonly retryAfter?: number | undefined
  readonly cause?: unknown
}

/** The one way to make an error in the core. */
export function fail(code: ErrorCode, message: string, details: ErrorDetails = {}): AmuxError {
  const { cause, ...rest } = details
  const error = new Error(message, cause === undefined ? undefined : { cause })
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) Object.assign(error, { [key]: value })
  return Object.assign(error, { code })
}

/** By its own `code`, never by class: the error may come from another `node_modules`. */
export function isAmuxError(value: unknown): value is AmuxError {
  return value instanceof Object && 'code' in value && typeof value.code === 'string' && Object.hasOwn(codes, value.code) && 'message' in value
}

export function hasCode(value: unknown, ...wanted: readonly ErrorCode[]): boolean {
  return isAmuxError(value) && wanted.includes(value.code)
}
