import type { AttachOptions, SessionInfo, Sessions, SpawnOptions, StartOptions } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { Path, type SessionList, type StartRequest } from '../../protocol/index.ts'
import { bytes } from '../../util/streams.ts'
import { GuestAttachment } from './attachment.ts'
import type { Calls } from './calls.ts'
import type { SessionHost } from './host.ts'
import { readLogs } from './logs.ts'
import { parseJson } from './wire.ts'

export function guestSessions(host: SessionHost, calls: Calls): Sessions {
  const at = (id: string, more = '') => `${Path.sessions}/${encodeURIComponent(id)}${more}`
  return {
    start: (argv, options = {}) => startSession(host, calls, argv, options),
    attach: (id, options = {}) => attachSession(host, id, options),
    logs: (id, options = {}) => readLogs(host, at(id, '/logs'), options),
    async list() {
      return (await calls.get<SessionList>(Path.sessions, (value) => 'sessions' in value && Array.isArray(value.sessions))).sessions
    },
    get: (id) => calls.get<SessionInfo>(at(id), isSession),
    wait: (id, { signal } = {}) => calls.get<SessionInfo>(at(id), isSession, { query: { wait: true }, signal }),
    async send(id, data, { eof = false } = {}) {
      await calls.upload('POST', at(id, '/input'), data instanceof Uint8Array ? bytes(data) : data, { query: { eof } })
    },
    async resize(id, size) {
      await calls.send('POST', at(id, '/resize'), { body: size })
    },
    async signal(id, signal) {
      await calls.send('POST', at(id, '/signal'), { body: { signal } })
    },
    async kill(id, options = {}) {
      return parseJson<SessionInfo>(await calls.send('POST', at(id, '/kill'), { body: options }), isSession)
    },
    async remove(id) {
      await calls.send('DELETE', at(id))
    },
  }
}

/** A program that lives as long as its connection. */
export async function spawnTied(host: SessionHost, argv: readonly string[], options: SpawnOptions): Promise<GuestAttachment> {
  const attachment = new GuestAttachment(host, { start: { ...startRequest(argv, options), tied: true } })
  await attachment.open(options.signal)
  whileRunning(attachment, options.signal, () => attachment.abandon(fail('aborted', 'the program was killed on request')))
  return attachment
}

async function startSession(host: SessionHost, calls: Calls, argv: readonly string[], options: StartOptions): Promise<GuestAttachment> {
  const attachment = new GuestAttachment(host, { start: startRequest(argv, options) })
  await attachment.open(options.signal)
  whileRunning(attachment, options.signal, () => {
    const path = `${Path.sessions}/${attachment.session.id}/kill`
    calls.send('POST', path, { body: { signal: 'SIGKILL', grace: 0 } }).catch(() => {})
    attachment.abandon(fail('aborted', 'the program was killed on request'))
  })
  return attachment
}

export async function attachSession(host: SessionHost, id: string, { signal, ...request }: AttachOptions): Promise<GuestAttachment> {
  const attachment = new GuestAttachment(host, { attach: { id, ...request } })
  await attachment.open(signal)
  whileRunning(attachment, signal, () => void attachment.detach())
  return attachment
}

export function startRequest(argv: readonly string[], options: StartOptions): StartRequest {
  // All of a session's output arrives here in any case.
  const { signal: _, verify: __, ...rest } = options
  if (argv.length === 0) throw fail('invalid_argument', 'there is no program to run: argv is empty')
  if (argv.some((word) => word.includes('\0'))) throw fail('invalid_argument', 'an argument contains a zero byte')
  return { argv, ...rest }
}

function whileRunning(attachment: GuestAttachment, signal: AbortSignal | undefined, onAbort: () => void): void {
  if (signal === undefined) return
  if (signal.aborted) return onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  const off = () => signal.removeEventListener('abort', onAbort)
  attachment.exit.then(off, off)
}

function isSession(value: object): boolean {
  return 'id' in value && 'state' in value && value.state instanceof Object
}

