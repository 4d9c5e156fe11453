import { constants } from 'node:os'
import type { AmuxError, ErrorCode, ErrorSource } from '../../../src/contract/index.ts'

interface Details {
  readonly hint?: string
  readonly computer?: string
  readonly source?: ErrorSource
  readonly cause?: unknown
}

export function fail(code: ErrorCode, message: string, details: Details = {}): AmuxError {
  const { cause, ...rest } = details
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), rest, { code })
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Object && 'code' in error && error.code === code
}

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

const system: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'quota_exceeded',
  EDQUOT: 'quota_exceeded',
  EMFILE: 'quota_exceeded',
  ENFILE: 'quota_exceeded',
  EUSERS: 'quota_exceeded',
  EROFS: 'permission_denied',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
}

/** Whose disk it is that is full, where that is what the matter is. */
export function diskFull(error: unknown, dataDir: string): unknown {
  if (!['ENOSPC', 'EDQUOT'].some((code) => hasCode(error, code))) return error
  return fail('quota_exceeded', `the disk that holds ${dataDir} is full`, { hint: 'Free some space there, then do the same again.', cause: error })
}

/** What one of our own native steps reports: `error<TAB>errno<TAB>step<TAB>subject<TAB>text`. */
export interface StepFailure {
  readonly errno: string
  readonly step: string
  readonly subject: string
  readonly text: string
}

export function parseFailure(line: string): StepFailure | undefined {
  const [word, errno, step, subject, text] = line.split('\t')
  if (word !== 'error' || errno === undefined || step === undefined) return undefined
  return { errno: names.get(Number(errno)) ?? errno, step, subject: subject ?? '', text: text ?? '' }
}

export function describe(failure: StepFailure): string {
  const subject = failure.subject === '' ? '' : ` ${failure.subject}`
  return `${failure.step}${subject}: ${failure.text} (${failure.errno})`
}

export function codeOf(failure: StepFailure): ErrorCode {
  return failure.step === 'attend' && failure.text.includes('nft ') ? 'tool_missing' : (system[failure.errno] ?? 'failed')
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw fail('aborted', 'gave up before it was done', { source: 'amux' })
}
