import { fail, given, hasCode, statusOf } from '../errors.ts'
import type { Found } from './find.ts'

/** What an engine's failure, or that of the way to it, means to people. */
export function explain(error: unknown, engine: Pick<Found, 'address' | 'because' | 'place'> & { readonly answered?: boolean }, signal?: AbortSignal): unknown {
  if (signal?.aborted) return given(signal)
  if (isOurs(error)) return error
  const status = statusOf(error)
  if (status !== undefined) return answered(error, status, engine)
  const where = `the Docker engine at ${engine.address}${engine.because === 'default' ? '' : ` (${engine.because})`}`
  const untrusted = engine.place.kind === 'tcp' ? ofTls(error, where, engine.place.tls) : undefined
  if (untrusted) return untrusted
  if (hasCode(error, 'EACCES', 'EPERM')) return fail('permission_denied', `you may not use ${where}`, { hint: 'Join its group, then log in again: sudo usermod -aG docker $USER', cause: error })
  if (engine.answered === true && hasCode(error, 'ENOENT', 'ECONNREFUSED')) return fail('unavailable', `${where} was stopped meanwhile`, { hint: 'Start it, on Linux with: sudo systemctl start docker', source: 'transport', cause: error })
  if (engine.place.kind === 'unix' && hasCode(error, 'ENOENT')) {
    return fail('tool_missing', `there is no Docker engine here: ${engine.place.path} is not there`, { hint: 'Install and start one (https://docs.docker.com/engine/install), or say where it is: DOCKER_HOST', cause: error })
  }
  if (engine.place.kind === 'unix' && hasCode(error, 'ECONNREFUSED')) return fail('unavailable', `${where} does not run`, { hint: 'Start it, on Linux with: sudo systemctl start docker', cause: error })
  if (hasCode(error, 'ECONNRESET', 'EPIPE') || (error instanceof Error && /socket hang up|premature close/i.test(error.message))) return fail('connection_lost', `${where} broke off`, { source: 'transport', cause: error })
  return fail('unavailable', `${where} cannot be reached: ${error instanceof Error ? error.message : String(error)}`, { hint: 'See whether it answers: docker version', source: 'transport', cause: error })
}

/** In a runtime's words: what was to be started, or whose namespaces it was to be in, is no more. */
export const STOPPED = /cannot start a (container that has stopped|stopped process)|non.running container|namespace path: lstat \/proc\/|final child's PID from pipe: EOF|error during container init: %!w\(<nil>\)/

/** Undefined where it is not about who is who. */
function ofTls(cause: unknown, where: string, tls: { readonly cert?: Buffer } | undefined): Error | undefined {
  const { code = '', message = '' } = cause instanceof Error ? (cause as Error & { readonly code?: string }) : {}
  const words = `${code} ${message}`.replaceAll('_', ' ')
  if (/wrong version number|packet length too long|http request/i.test(words)) return fail('unavailable', `what answers at ${where} does not speak TLS`, { hint: 'Without certificates: unset DOCKER_TLS_VERIFY. Mostly the port is 2375 then, else 2376.', cause })
  if (/\balert\b/i.test(words) || (tls && tls.cert === undefined && /ECONNRESET|EPIPE/.test(code))) {
    if (tls?.cert === undefined) return fail('credential_missing', `${where} asks for a certificate, and there is none`, { hint: 'Put cert.pem and key.pem where DOCKER_CERT_PATH says.', cause })
    return fail('unauthorized', `${where} does not accept the certificate: ${message}`, { hint: 'cert.pem and key.pem in DOCKER_CERT_PATH must be signed by the authority that the engine trusts.', cause })
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECRYPT)|HOSTNAME_MISMATCH/.test(code)) return fail('unauthorized', `the certificate of ${where} cannot be trusted: ${message}`, { hint: 'ca.pem in DOCKER_CERT_PATH must be that of the authority which signed it, for that host.', cause })
  return undefined
}

function answered(error: unknown, status: number, { address }: Pick<Found, 'address'>): Error {
  const text = wordsOf(error)
  if (text.startsWith('<') || (text === '' && status !== 404)) return fail('unavailable', `what answers at ${address} is no Docker engine (it says ${status})`, { hint: 'See where the docker command looks: docker context ls', cause: error })
  if (/no space left|disk quota exceeded/i.test(text)) return fail('quota_exceeded', `the engine's disk is full: ${text}`, { hint: 'Free some space: docker system df says what takes it, amux docker gc what amux left.', cause: error })
  if (/client version .* is too old|minimum supported API version|client is newer than server/i.test(text)) return fail('unsupported', `the engine at ${address} is of another age: ${text}`, { hint: 'Update the engine, or amux.', cause: error })
  if (STOPPED.test(text)) return fail('conflict', `somebody else stopped it this moment: ${text}`, { hint: 'Try again.', cause: error })
  if (/HTTP request to an HTTPS server/i.test(text)) return fail('credential_missing', `the engine at ${address} wants TLS`, { hint: 'Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem.', cause: error })
  if (status === 404) return fail('not_found', text, { cause: error })
  if (status === 409) return fail('conflict', text, { cause: error })
  if (status === 400) return fail('invalid_argument', text, { cause: error })
  if (status === 401 || status === 403) return fail('unauthorized', text, { cause: error })
  if (status === 429 || /toomanyrequests/i.test(text)) return fail('rate_limited', text, { cause: error })
  if (status === 503) return fail('unavailable', text, { cause: error })
  return fail('failed', text, { cause: error })
}

/** The engine's own words, without what its client puts around them. */
export function wordsOf(error: unknown): string {
  const json: unknown = error instanceof Object && 'json' in error ? error.json : undefined
  if (json instanceof Object && 'message' in json && typeof json.message === 'string') return json.message.trim()
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim()
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && 'source' in error && 'code' in error
}
