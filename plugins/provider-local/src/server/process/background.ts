import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandCall, ErrorCode } from '../../../../../src/contract/index.ts'
import { fail } from '../../errors.ts'
import { lives } from '../../status.ts'
import { type Running, logFile, running, serverDir } from './single.ts'

const START_MS = 30_000
const STOP_MS = 10_000
const LOOK_MS = 30
/** What streams through it is garbage at once: collected sooner, it is 60 MB less and goes through the processor's caches. */
const NODE_FLAGS = ['--max-semi-space-size=1']

/** Starts a server that outlives this process, and waits until it answers. `conflict` when one runs. */
export async function startDetached(call: CommandCall, flags: readonly string[]): Promise<Running> {
  const dataDir = await call.dataDir('local')
  await mkdir(serverDir(dataDir), { recursive: true, mode: 0o700 })
  const first = await running(dataDir)
  if (first) throw fail('conflict', `a server runs already: ${first.url} (process ${first.pid})`, { hint: 'amux local server stop ends it.', source: 'amux' })
  const log = openSync(logFile(dataDir), 'a', 0o600)
  const [program = process.execPath, ...begin] = call.amux
  // A failure is the last it says there: a document.
  const child = spawn(program, [...NODE_FLAGS, ...begin, 'local', 'serve', '--json', '--log', logFile(dataDir), ...flags], { detached: true, stdio: ['ignore', log, log], cwd: '/' })
  closeSync(log)
  const ended = once(child, 'exit')
  try {
    const until = performance.now() + START_MS
    while (child.exitCode === null && child.signalCode === null && performance.now() < until && !call.signal.aborted) {
      const record = await running(dataDir)
      if (record && record.pid === child.pid) return record
      await Promise.race([ended, sleep(LOOK_MS)])
    }
    child.kill('SIGKILL')
    call.signal.throwIfAborted()
    throw await failure(dataDir)
  } finally {
    child.unref()
  }
}

/** False when none ran. Programs on the computers go on. */
export async function stop(dataDir: string): Promise<boolean> {
  const record = await running(dataDir)
  if (!record) return false
  process.kill(record.pid, 'SIGTERM')
  for (let waited = 0; lives(record); waited += LOOK_MS) {
    if (waited > STOP_MS) process.kill(record.pid, 'SIGKILL')
    await sleep(LOOK_MS)
  }
  return true
}

/** What it failed with is what this fails with. */
async function failure(dataDir: string): Promise<Error> {
  const text = `\n${await readFile(logFile(dataDir), 'utf8').catch(() => '')}`
  try {
    const { error } = JSON.parse(text.slice(text.lastIndexOf('\n{'))) as { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } }
    return fail(error.code, error.message, { source: 'amux', ...(error.hint !== undefined && { hint: error.hint }) })
  } catch {
    return fail('failed', `the server did not start: ${text.trimEnd().split('\n').at(-1) || 'it said nothing'}`, { hint: 'amux local server logs shows what it said.', source: 'amux' })
  }
}
