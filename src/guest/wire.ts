import type { ErrorCode } from '../contract/index.ts'
import type { WireError } from '../protocol/index.ts'

/** The guest's one kind of error: it travels to the client as a `WireError`. */
export class GuestError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly source: 'amux' | 'program' | undefined

  constructor(code: ErrorCode, message: string, details: { hint?: string; source?: 'amux' | 'program'; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.source = details.source
  }
}

/** What the kernel says, in our words. Anything else is `failed`, its message kept. */
const system: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not_found',
  ESRCH: 'not_found',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  EEXIST: 'conflict',
  ENOTEMPTY: 'conflict',
  EISDIR: 'conflict',
  ENOTDIR: 'conflict',
  EBUSY: 'conflict',
  ETXTBSY: 'conflict',
  EXDEV: 'conflict',
  ELOOP: 'conflict',
  ENAMETOOLONG: 'invalid_argument',
  EINVAL: 'invalid_argument',
  ERR_INVALID_ARG_VALUE: 'invalid_argument',
  ERR_FS_FILE_TOO_LARGE: 'invalid_argument',
  ERR_TAR: 'invalid_argument',
  ERR_TAR_FORM: 'unsupported',
  ERR_TAR_CONFLICT: 'conflict',
  ENOSPC: 'quota_exceeded',
  EDQUOT: 'quota_exceeded',
  EFBIG: 'quota_exceeded',
  EMFILE: 'quota_exceeded',
  ENFILE: 'quota_exceeded',
  ENOMEM: 'quota_exceeded',
  ENOTFOUND: 'not_found',
  EAI_AGAIN: 'unavailable',
  EADDRNOTAVAIL: 'unavailable',
  ECONNREFUSED: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENETUNREACH: 'unavailable',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ETIMEDOUT: 'timeout',
  ABORT_ERR: 'aborted',
}

const status: { readonly [code in ErrorCode]?: number } = {
  invalid_argument: 400,
  permission_denied: 403,
  not_found: 404,
  program_not_found: 404,
  conflict: 409,
  already_exists: 409,
  locked: 409,
  not_running: 409,
  program_not_executable: 422,
  aborted: 499,
  unsupported: 501,
  unavailable: 503,
  timeout: 504,
  quota_exceeded: 507,
}

export function statusOf(code: ErrorCode): number {
  return status[code] ?? 500
}

export function toGuestError(value: unknown): GuestError {
  if (value instanceof GuestError) return value
  const message = value instanceof Error ? plain(value) : String(value)
  const errno = value instanceof Error && 'code' in value && typeof value.code === 'string' ? value.code : ''
  return new GuestError(system[errno] ?? 'failed', message === '' ? 'unknown failure' : message, { cause: value })
}

/** Node's `ENOENT: no such file or directory, open '/x'` as `no such file or directory: /x`. */
function plain(error: Error): string {
  const [, text] = /^E[A-Z0-9]+: (.*?), [a-z]+/.exec(error.message) ?? []
  if (text === undefined) return error.message
  return 'path' in error && typeof error.path === 'string' ? `${text}: ${error.path}` : text
}

export function toWire(value: unknown): WireError {
  const { code, message, hint, source } = toGuestError(value)
  return { code, message, ...(hint !== undefined && { hint }), ...(source !== undefined && { source }) }
}
