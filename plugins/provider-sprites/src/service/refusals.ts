import type { IncomingHttpHeaders } from 'node:http'
import type { AmuxError, ErrorCode } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_argument',
  401: 'unauthorized',
  403: 'permission_denied',
  404: 'not_found',
  405: 'unsupported',
  409: 'conflict',
  410: 'not_found',
  413: 'quota_exceeded',
  422: 'invalid_argument',
  429: 'rate_limited',
  501: 'unsupported',
  507: 'quota_exceeded',
}

/** Of what it says, in characters: more is for no person. */
const SAID_MOST = 1000

interface Body {
  readonly error?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly retry_after_seconds?: unknown
  readonly limit?: unknown
  readonly window_seconds?: unknown
  readonly current_count?: unknown
  readonly upgrade_url?: unknown
}

/** What an answer above 399 means. The body may be JSON of several forms, plain text, or somebody else's web page. */
export function refusal(status: number, headers: IncomingHttpHeaders, text: string): AmuxError {
  if (isPage(headers, text)) return notTheApi(status)
  const body = parse(text)
  const said = [body.message, body.error].find((one) => typeof one === 'string' && one !== '') as string | undefined
  const message = said?.slice(0, SAID_MOST) ?? text.trim().slice(0, 300)
  const word = typeof body.error === 'string' ? body.error : undefined
  const posix = typeof body.code === 'string' ? body.code : undefined
  const code = codes[status] ?? (status >= 500 ? 'unavailable' : 'failed')
  const after = code === 'rate_limited' || code === 'unavailable' ? retryAfter(headers, body) : undefined
  return Object.assign(fail(code, posix === undefined || message === '' ? explained(status, code, message, body) : message, { status, word, retryAfter: after, hint: hintFor(status, code, body, after) }), posix !== undefined && { posix })
}

/** A proxy's, or a login page's of the network one is in. */
export function isPage(headers: IncomingHttpHeaders, text: string): boolean {
  return (headers['content-type'] ?? '').includes('text/html') || /^\s*<(!doctype|html)/i.test(text.slice(0, 200))
}

export function notTheApi(status: number): AmuxError {
  return fail('unavailable', `a web page came back instead of the API's answer (${status})`, { source: 'transport', status, lasting: status < 500, hint: 'Is there a proxy or a login page in the way? Is the url right? amux provider info sprites' })
}

function parse(text: string): Body {
  try {
    const value: unknown = JSON.parse(text)
    return value instanceof Object ? (value as Body) : {}
  } catch {
    return {}
  }
}

function explained(status: number, code: ErrorCode, message: string, { limit, current_count, window_seconds }: Body): string {
  const said = message === '' ? '' : `: ${message}`
  if (status === 403) return `the Sprites API does not let this token do that (403)${said}`
  if (code === 'unavailable') return `the Sprites API failed (${status})${said}`
  if (message === '') return `the API answered ${status}`
  if (code !== 'rate_limited' || typeof limit !== 'number') return message
  return `${message} (limit ${limit}${typeof window_seconds === 'number' ? ` in ${window_seconds} s` : ''}${typeof current_count === 'number' ? `, now ${current_count}` : ''})`
}

function hintFor(status: number, code: ErrorCode, { upgrade_url, window_seconds }: Body, after: number | undefined): string | undefined {
  if (code === 'unauthorized') return 'Give it another token: amux provider login sprites'
  if (status === 403) return 'Give it a token that may: amux provider login sprites'
  if (code === 'unavailable') return 'Try again later. Whether it works: amux provider test sprites'
  if (code !== 'rate_limited') return undefined
  const wait = after ?? (typeof window_seconds === 'number' ? window_seconds : undefined)
  const lines = [...(wait === undefined ? [] : [`Try again in ${Math.ceil(wait)} s.`]), ...(typeof upgrade_url === 'string' ? [`Raise the limit: ${upgrade_url}`] : [])]
  return lines.length > 0 ? lines.join(' ') : undefined
}

/** Seconds: the body's word goes before the headers'. */
function retryAfter(headers: IncomingHttpHeaders, { retry_after_seconds }: Body): number | undefined {
  if (typeof retry_after_seconds === 'number' && retry_after_seconds > 0) return retry_after_seconds
  const after = Number(headers['retry-after'])
  if (Number.isFinite(after) && after >= 0) return after
  const reset = Number(headers['x-ratelimit-reset'])
  return Number.isFinite(reset) && reset > 0 ? Math.max(0, reset - Date.now() / 1000) : undefined
}
