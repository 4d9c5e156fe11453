import { Path } from '../protocol/index.ts'
import type { Handler, Request } from './request.ts'
import { type LogQuery, type SessionEngine, writeLogs } from './sessions/index.ts'
import { GuestError } from './wire.ts'

type Streams = NonNullable<LogQuery['stream']>

const actions: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['GET', show],
  ['DELETE', remove],
  ['GET logs', logs],
  ['POST input', input],
  ['POST resize', resize],
  ['POST signal', signal],
  ['POST kill', kill],
])

/** What answers a request below `/v1/sessions/ID`. */
export function sessionRoute(request: Request): Handler | undefined {
  const { method, path } = request
  if (!path.startsWith(`${Path.sessions}/`)) return undefined
  const [, , , , action, ...rest] = path.split('/')
  return rest.length > 0 ? undefined : actions.get(action === undefined ? method : `${method} ${action}`)
}

async function show(request: Request): Promise<void> {
  const session = request.guest.engine.get(request.id)
  if (request.flag('wait')) await session.wait(request.signal)
  request.json(session.info())
}

function remove(request: Request): void {
  request.guest.engine.remove(request.id)
  request.done()
}

async function logs(request: Request): Promise<void> {
  await sendLogs(request.guest.engine, request)
}

/** Of one of that engine's sessions, as the query asks. */
export async function sendLogs(engine: SessionEngine, request: Request): Promise<void> {
  const from = request.number('from')
  const tail = request.number('tail')
  const stream = request.optional('stream')
  await writeLogs(engine, request.id, request.stream, {
    // Checked by the writer, which knows the streams.
    ...(stream !== undefined && { stream: stream as Streams }),
    ...(from !== undefined && { from }),
    ...(tail !== undefined && { tail }),
    follow: request.flag('follow'),
  })
}

async function input(request: Request): Promise<void> {
  const session = request.guest.engine.get(request.id)
  await session.send(request.body(), { eof: request.flag('eof'), signal: request.signal })
  request.done()
}

async function resize(request: Request): Promise<void> {
  const session = request.guest.engine.get(request.id)
  const { cols, rows } = await request.document()
  if (typeof cols !== 'number' || typeof rows !== 'number') throw new GuestError('invalid_argument', 'a size has cols and rows')
  await session.resize({ cols, rows })
  request.done()
}

async function signal(request: Request): Promise<void> {
  const session = request.guest.engine.get(request.id)
  const { signal } = await request.document()
  if (typeof signal !== 'string') throw new GuestError('invalid_argument', 'a signal is named by a word, as SIGINT')
  session.signal(signal)
  request.done()
}

async function kill(request: Request): Promise<void> {
  const session = request.guest.engine.get(request.id)
  const { signal, grace } = await request.document()
  await session.kill({ ...(typeof signal === 'string' && { signal }), ...(typeof grace === 'number' && { grace }) })
  request.json(session.info())
}
