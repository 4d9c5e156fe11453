import type { AmuxError, ErrorCode } from '../../../../../src/contract/index.ts'

/** What a request is refused with: a status and a word that programs can tell apart. */
export interface Refusal extends Error {
  readonly status: number
  readonly word: string
}

export function refuse(status: number, word: string, message: string): Refusal {
  return Object.assign(new Error(message), { status, word })
}

export function notDone(what: string): Refusal {
  return refuse(501, 'not_implemented', `this server does not do that: ${what}`)
}

const statuses: { readonly [code in ErrorCode]?: number } = {
  invalid_argument: 400,
  not_found: 404,
  program_not_found: 404,
  program_not_executable: 400,
  unauthorized: 401,
  permission_denied: 403,
  already_exists: 409,
  conflict: 409,
  locked: 409,
  not_running: 409,
  unsupported: 501,
  tool_missing: 501,
  rate_limited: 429,
  quota_exceeded: 507,
  unavailable: 503,
  connection_lost: 503,
  timeout: 504,
}

export interface ErrorBody {
  readonly error: string
  readonly message: string
}

export function answerTo(error: unknown): { readonly status: number; readonly body: ErrorBody } {
  if (isRefusal(error)) return { status: error.status, body: { error: error.word, message: error.message } }
  const message = error instanceof Error ? error.message : String(error)
  const code = codeOf(error)
  return { status: (code && statuses[code]) ?? 500, body: { error: code ?? 'internal_error', message } }
}

export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[a-z_]+$/.test(error.code) ? (error as AmuxError).code : undefined
}

function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && 'word' in error
}
