import type { AmuxError } from '../../src/contract/index.ts'
import { isAmuxError } from '../../src/errors/index.ts'

/** The `invalid_argument` that `work` throws; anything else fails. */
export function refused(work: () => unknown): AmuxError {
  try {
    work()
  } catch (error) {
    if (isAmuxError(error) && error.code === 'invalid_argument') return error
    throw error
  }
  throw new Error('it was not refused')
}
