import type { Call } from '../http/call.ts'
import { parseGoDuration } from './duration.ts'
import { codeOf, refuse } from '../http/errors.ts'
import type { Start } from '../sprite/executions.ts'
import { watchPorts } from '../sprite/notices.ts'
import { Peer } from '../sprite/peer.ts'
import type { Routes, Upgrade } from '../http/router.ts'

const PIPED_MS = 10_000
const capabilities = { 'X-Sprite-Capabilities': 'signal' }

export const execRoutes: Routes = {
  'WS /v1/sprites/:name/exec': async (call: Call, upgrade: Upgrade) => {
    const id = call.query.get('id')
    return id === null ? start(call, upgrade) : attach(call, id, upgrade)
  },
  'WS /v1/sprites/:name/exec/:id': (call: Call, upgrade: Upgrade) => attach(call, call.param('id'), upgrade),
}

async function start(call: Call, upgrade: Upgrade): Promise<void> {
  const wanted = startOf(call.query, true)
  const served = await call.sprite()
  // Before the client can say anything: it would be lost.
  const begun = await served.executions.begin(wanted).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  if (begun instanceof Error && !startFailures.has(codeOf(begun) ?? '')) throw begun
  const peer = new Peer(await upgrade(capabilities).catch(async (error: unknown) => {
    if (!(begun instanceof Error)) await begun.kill('SIGKILL')
    throw error
  }), wanted.tty !== undefined)
  if (begun instanceof Error) return tellFailure(peer, begun)
  served.executions.serve(begun, peer)
  watchPorts(served, begun.session.pid, peer)
}

async function attach(call: Call, id: string, upgrade: Upgrade): Promise<void> {
  const served = await call.sprite()
  const session = await served.executions.find(id)
  const join = await served.executions.attach(session)
  const peer = new Peer(await upgrade(capabilities), session.tty)
  join(peer)
  watchPorts(served, session.pid, peer)
}

/** The program's own failures to begin: they come with a status, as a shell would give it. */
const startFailures: ReadonlySet<string> = new Set(['program_not_found', 'program_not_executable', 'not_found', 'conflict'])

function tellFailure(peer: Peer, error: Error): void {
  const code = codeOf(error)
  peer.text({ type: 'error', error: error.message, code })
  const message = Buffer.from(`${error.message}\n`)
  if (peer.tty) peer.raw(message)
  else peer.frame({ stream: 2, parts: [message], size: message.length })
  void peer.exit({ code: code === 'program_not_found' ? 127 : 126 })
}

/** Section by section as the query has it; `socket`: over a WebSocket, where a terminal is possible. */
export function startOf(query: URLSearchParams, socket: boolean): Start {
  const words = query.getAll('cmd')
  const path = query.get('path')
  const argv = words.length === 0 ? [path ?? 'bash'] : [path || (words[0] ?? ''), ...words.slice(1)]
  if (argv.some((word) => word.includes('\0')) || argv[0] === '') throw refuse(400, 'invalid_request', 'cmd cannot be a command')
  const tty = flagOf(query, 'tty') && socket
  const env = query.getAll('env')
  const dir = query.get('dir')
  const limit = query.get('max_run_after_disconnect')
  return {
    argv,
    ...(dir !== null && dir !== '' && { cwd: dir }),
    ...(env.length > 0 && { env: Object.fromEntries(env.map(variable)) }),
    ...(tty && { tty: { cols: cells(query, 'cols', 80), rows: cells(query, 'rows', 24) } }),
    input: tty || flagOf(query, 'stdin'),
    maxRun: limit === null ? (tty ? 0 : PIPED_MS) : parseGoDuration(limit, 'max_run_after_disconnect'),
  }
}

function flagOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? ''
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0' || text === '') return false
  throw refuse(400, 'invalid_request', `${name} is true or false`)
}

function variable(text: string): readonly [string, string] {
  const cut = text.indexOf('=')
  if (cut < 1 || text.includes('\0')) throw refuse(400, 'invalid_request', `env ${JSON.stringify(text.slice(0, cut < 0 ? 40 : cut))} is not KEY=VALUE`)
  return [text.slice(0, cut), text.slice(cut + 1)]
}

function cells(query: URLSearchParams, name: string, usual: number): number {
  const value = Number(query.get(name) ?? usual)
  if (Number.isInteger(value) && value >= 1 && value <= 2000) return value
  if (value === 0) return usual
  throw refuse(400, 'invalid_request', `${name} is no size of a terminal`)
}

