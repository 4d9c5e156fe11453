import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../errors/index.ts'

/** In the environment of everything a computer runs, and inherited by what that starts. */
export const MARK = 'AMUX_PROCESS_COMPUTER'

interface Running {
  readonly pid: number
  readonly parent: number
  readonly marked: boolean
}

/** Ends everything that belongs to a computer, also what hides from its parents. */
export async function endAll(directory: string): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const victims = await processesOf(directory)
    if (victims.length === 0) return
    // None of them is to see another one die: it would end in an orderly way, and say so.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of victims) kill(pid, signal)
    await sleep(round < 5 ? 2 : 25)
  }
  throw fail('failed', 'programs of the computer cannot be ended')
}

async function processesOf(directory: string): Promise<readonly number[]> {
  const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((name) => look(Number(name), directory)))
  const running = all.filter((one) => one !== undefined)
  const found = new Set(running.filter(({ marked }) => marked).map(({ pid }) => pid))
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { pid, parent } of running) if (found.has(parent)) found.add(pid)
  }
  found.delete(process.pid)
  return [...found]
}

async function look(pid: number, directory: string): Promise<Running | undefined> {
  try {
    const [status, environ] = await Promise.all([readFile(`/proc/${pid}/stat`, 'latin1'), readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')])
    const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return undefined
    return { pid, parent: Number(parent), marked: environ.split('\0').includes(`${MARK}=${directory}`) }
  } catch {
    return undefined
  }
}

function kill(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It went by itself.
  }
}
