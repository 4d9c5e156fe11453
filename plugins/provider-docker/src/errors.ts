export { fail, given, hasCode, throwIfAborted } from '../../shared/errors.ts'

/** What the engine answered with, where it did. */
export function statusOf(error: unknown): number | undefined {
  const value: unknown = error instanceof Object && 'statusCode' in error ? error.statusCode : error instanceof Object && 'cause' in error ? statusOf(error.cause) : undefined
  return typeof value === 'number' ? value : undefined
}
