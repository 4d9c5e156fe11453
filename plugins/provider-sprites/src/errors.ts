import { fail as failure } from '../../shared/errors.ts'

export { given, hasCode, throwIfAborted } from '../../shared/errors.ts'

interface Answered {
  /** Seconds. */
  readonly retryAfter: number | undefined
  /** What the API answered with, where it did. */
  readonly status: number
  /** The API's own word for it. */
  readonly word: string | undefined
  /** Trying again changes nothing. */
  readonly lasting: boolean
  /** Nothing listens there. */
  readonly refused: boolean
}

export const fail = failure<Answered>

export function statusOf(error: unknown): number | undefined {
  return error instanceof Object && 'status' in error && typeof error.status === 'number' ? error.status : undefined
}

export function isLasting(error: unknown): boolean {
  return error instanceof Object && 'lasting' in error && error.lasting === true
}
