import { connect } from 'node:tls'
import type { AmuxError } from '../../../../src/contract/index.ts'
import { isLoopback } from '../../../shared/loopback.ts'
import { fail } from '../errors.ts'

const PROBE_MS = 2000

const WHERE = 'Is the url right? amux provider info sprites'

const certificates: Readonly<Record<string, string>> = { CERT_HAS_EXPIRED: 'has expired', CERT_NOT_YET_VALID: 'is not valid yet', ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name' }

/** What Node says of a connection, in words of ours. */
export function explain(error: unknown, url: URL): unknown {
  if (error instanceof Error && 'source' in error) return error
  const { host } = url
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const text = error instanceof Error ? error.message : String(error)
  const details = { source: 'transport', cause: error } as const
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return fail('unavailable', `the name ${host} cannot be looked up`, { ...details, hint: `Is this machine online? ${WHERE}` })
  if (code === 'ECONNREFUSED') return fail('unavailable', `nothing answers at ${host}`, { ...details, refused: true, hint: isLoopback(url) ? 'Is it started? amux local server start' : WHERE })
  if (code === 'EPROTO' || /^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST)/.test(code)) {
    return fail('unavailable', `what answers at ${host} speaks no TLS`, { ...details, lasting: true, hint: `The url begins with https:, and TLS is not what is there. ${WHERE}` })
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    const why = certificates[code] ?? 'is not trusted'
    return fail('unavailable', `the certificate of ${host} ${why} (${code})`, { ...details, lasting: true, hint: why === 'is not trusted' ? `Where it is one of your own: NODE_EXTRA_CA_CERTS=FILE amux …, with its authority in FILE. Else: ${WHERE}` : WHERE })
  }
  if (code.startsWith('HPE_')) return fail('unavailable', `what answers at ${host} does not speak HTTP (${code})`, { ...details, lasting: true, hint: WHERE })
  if (/^(ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED)$/.test(code) || /hang up/.test(text)) return fail('connection_lost', `the connection to ${host} broke`, details)
  return fail('unavailable', `${host} cannot be reached: ${text}`, details)
}

/** What it means of a first request, before anything ever answered there. */
export async function explainFirst(error: unknown, url: URL): Promise<unknown> {
  if (!(error instanceof Error)) return error
  if ('refused' in error && isLoopback(url)) return Object.assign(error, { lasting: true })
  const broke = 'code' in error && error.code === 'connection_lost'
  return broke && url.protocol === 'http:' && (await speaksTls(url)) ? notPlain(url) : error
}

function notPlain({ host }: URL): AmuxError {
  return fail('unavailable', `what answers at ${host} speaks TLS only`, { source: 'transport', lasting: true, hint: `The url is to begin with https: then: amux provider info sprites` })
}

function speaksTls({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    // Only asked, and nothing is sent.
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 80, rejectUnauthorized: false, timeout: PROBE_MS })
    const settle = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('secureConnect', () => settle(true)).once('timeout', () => settle(false)).on('error', () => settle(false))
  })
}
