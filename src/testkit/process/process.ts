import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ExitStatus, Process } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { sinkOf, sourceOf } from '../../util/streams.ts'

interface Setting {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

export async function startProcess(argv: readonly string[], { cwd, env, signal }: Setting): Promise<Process> {
  const [program, ...args] = argv
  if (program === undefined) throw fail('invalid_argument', 'there is no program to run')
  const child = spawn(program, args, { cwd, env, detached: true, stdio: 'pipe' })
  const exit = exitOf(child, signal)
  exit.catch(() => {})
  await once(child, 'spawn').catch((error: unknown) => {
    throw explain(error, program)
  })
  return {
    stdin: sinkOf(child.stdin),
    stdout: sourceOf(child.stdout),
    stderr: sourceOf(child.stderr),
    exit,
    async kill(name = 'SIGTERM') {
      deliver(child.pid, name)
    },
    async resize() {
      throw fail('invalid_argument', 'it has no terminal')
    },
  }
}

function exitOf(child: ReturnType<typeof spawn>, signal: AbortSignal | undefined): Promise<ExitStatus> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      child.kill('SIGKILL')
      reject(normalise(signal?.reason))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    child.once('exit', (code, killed) => {
      signal?.removeEventListener('abort', onAbort)
      resolve(killed === null ? { code: code ?? 0 } : { signal: killed })
    })
  })
}

function deliver(pid: number | undefined, name: string): void {
  try {
    // Unknown names are told by the system call itself; an ended process is no error.
    if (pid !== undefined) process.kill(pid, name)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ESRCH') return
    if (code === 'ERR_UNKNOWN_SIGNAL') throw fail('invalid_argument', `there is no signal ${name}`)
    throw error
  }
}

function explain(error: unknown, program: string): Error {
  const { code } = normalise(error)
  if (code === 'not_found') return fail('program_not_found', `there is no program ${program}`, { source: 'program' })
  if (code === 'permission_denied') return fail('program_not_executable', `${program} cannot be executed`, { source: 'program' })
  return normalise(error)
}
