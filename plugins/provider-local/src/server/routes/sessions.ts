import type { ServerResponse } from 'node:http'
import type { SessionInfo } from '../../../../../src/contract/index.ts'
import { type Call, json, lines, nothing } from '../http/call.ts'
import { parseGoDuration } from './duration.ts'
import { refuse } from '../http/errors.ts'
import { startOf } from './exec.ts'
import { FrameWriter } from '../http/frames.ts'
import { idOf } from '../sprite/greeting.ts'
import type { Routes } from '../http/router.ts'
import { codeOfSignal, signalName } from './signals.ts'

const ACTIVE_MS = 5000
const KILL_MS = 10_000

export const sessionRoutes: Routes = {
  'GET /v1/sprites/:name/exec': list,
  'HEAD /v1/sprites/:name/exec': async (call: Call, response: ServerResponse) => {
    await call.sprite()
    nothing(response, 200)
  },
  'POST /v1/sprites/:name/exec': execute,
  'GET /v1/sprites/:name/exec/:id': async (call: Call, response: ServerResponse) => {
    const { executions } = await call.sprite()
    json(response, 200, documentOf(await executions.find(call.param('id')), 0))
  },
  'POST /v1/sprites/:name/exec/:id/kill': kill,
}

async function list(call: Call, response: ServerResponse): Promise<void> {
  const { executions } = await call.sprite()
  const sessions = (await executions.list()).map((session) => documentOf(session, executions.totalOf(session)))
  json(response, 200, { count: sessions.length, sessions })
}

function documentOf(session: SessionInfo, total: number): object {
  const { argv, cwd, startedAt, lastActiveAt, tty } = session
  const seconds = Math.max(1, (Date.now() - Date.parse(startedAt)) / 1000)
  return {
    id: idOf(session),
    command: argv.join(' '),
    workdir: cwd,
    created: startedAt,
    tty,
    bytes_per_second: Math.round(total / seconds),
    is_active: Date.now() - Date.parse(lastActiveAt) < ACTIVE_MS,
    last_activity: lastActiveAt,
  }
}

/** Over HTTP: no session, no terminal. */
async function execute(call: Call, response: ServerResponse): Promise<void> {
  if (call.query.getAll('cmd').length === 0) throw refuse(400, 'invalid_request', 'the parameter cmd is missing')
  const wanted = startOf(call.query, false)
  const { executions } = await call.sprite()
  const program = await executions.begin({ ...wanted, maxRun: 0 })
  const gone = () => void program.kill('SIGKILL').catch(() => undefined)
  call.signal.addEventListener('abort', gone, { once: true })
  const input = wanted.input ? feed(call, program.stdin) : Promise.resolve()
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  const frames = new FrameWriter(response)
  await Promise.all([frames.take(1, program.stdout), frames.take(2, program.stderr)])
  const status = await program.exit
  call.signal.removeEventListener('abort', gone)
  input.catch(() => undefined)
  const code = status.signal === undefined ? status.code : codeOfSignal(status.signal)
  await frames.write(Buffer.from([3, code]))
  response.end()
}

async function feed(call: Call, stdin: { write(chunk: Uint8Array): Promise<void>; end(): Promise<void> }): Promise<void> {
  for await (const chunk of call.chunks()) await stdin.write(chunk)
  await stdin.end()
}

async function kill(call: Call, response: ServerResponse): Promise<void> {
  const served = await call.sprite()
  const { executions, computer } = served
  const id = call.param('id')
  const signal = signalName(call.query.get('signal') ?? 'SIGTERM')
  const timeout = call.query.has('timeout') ? parseGoDuration(call.text('timeout'), 'timeout') : KILL_MS
  const session = await executions.find(id).catch((error: unknown) => {
    throw executions.ended(id) ? refuse(410, 'gone', `session already exited: ${id}`) : error
  })
  await computer.sessions.signal(session.id, signal)
  const say = lines(response)
  say({ type: 'signal', message: `Sent ${signal} to process ${session.pid}`, signal, pid: session.pid })
  if (timeout === 0) return void response.end(`${JSON.stringify({ type: 'complete', exit_code: 0 })}\n`)
  const late = AbortSignal.any([AbortSignal.timeout(timeout), call.signal])
  const ended = await computer.sessions.wait(session.id, { signal: late }).catch(() => undefined)
  if (call.signal.aborted) return
  const last = ended ?? (say({ type: 'timeout', message: `Process did not end within ${timeout} ms` }), await computer.sessions.kill(session.id, { signal: 'SIGKILL', grace: 0 }))
  const { state } = last
  say({ type: ended ? 'exited' : 'killed', message: `Process ${ended ? 'exited' : 'killed'}` })
  say({ type: 'complete', exit_code: state.status === 'exited' ? state.code : state.status === 'killed' ? codeOfSignal(state.signal) : -1 })
  response.end()
}
