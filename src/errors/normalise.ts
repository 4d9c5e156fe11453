import type { AmuxError, ErrorCode } from '../contract/index.ts'
import { type ErrorDetails, fail, isAmuxError } from './error.ts'

const system: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not_found',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  EEXIST: 'conflict',
  ENOTEMPTY: 'conflict',
  EISDIR: 'conflict',
  ENOTDIR: 'conflict',
  ENOSPC: 'quota_exceeded',
  EDQUOT: 'quota_exceeded',
  EMFILE: 'quota_exceeded',
  ENOTFOUND: 'unavailable',
  EAI_AGAIN: 'unavailable',
  ECONNREFUSED: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENETUNREACH: 'unavailable',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ETIMEDOUT: 'timeout',
  ABORT_ERR: 'aborted',
  ERR_TAR: 'corrupt',
  ERR_TAR_FORM: 'corrupt',
  ERR_TAR_CONFLICT: 'conflict',
  ERR_TAR_NAME: 'unsupported',
}

/**
 * Makes a foreign error ours. The only place that does: an unknown failure becomes `failed` with its message kept,
 * never "not found", never success.
 */
export function normalise(value: unknown, details: ErrorDetails = {}): AmuxError {
  if (isAmuxError(value)) return addMissing(value, details)
  if (isHomeless(value)) return fail('failed', 'the directory you stand in no longer exists', { hint: 'Go to one that does: cd', ...details, cause: value })
  const message = value instanceof Error ? value.message : String(value)
  return fail(foreignCode(value), message === '' ? 'unknown failure' : message, { ...details, cause: value })
}

/** The system's word for it is ENOENT, and names nothing. */
function isHomeless(value: unknown): boolean {
  return value instanceof Object && 'syscall' in value && value.syscall === 'uv_cwd'
}

function foreignCode(value: unknown): ErrorCode {
  if (!(value instanceof Object)) return 'failed'
  if ('name' in value && value.name === 'AbortError') return 'aborted'
  if ('name' in value && value.name === 'TimeoutError') return 'timeout'
  const code = 'code' in value && typeof value.code === 'string' ? value.code : ''
  if (code.startsWith('ERR_HTTP2')) return 'connection_lost'
  return system[code] ?? 'failed'
}

function addMissing(error: AmuxError, details: ErrorDetails): AmuxError {
  for (const [key, value] of Object.entries(details)) {
    if (key !== 'cause' && value !== undefined && !Object.hasOwn(error, key)) Object.assign(error, { [key]: value })
  }
  return error
}
