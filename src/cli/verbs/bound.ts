import type { EquippedComputer, Process, StartOptions } from '../../contract/index.ts'
import { hasCode } from '../../errors/index.ts'
import type { Around, Launched } from '../../terminal/index.ts'

/**
 * The sessions of a computer that may be unable to run amux's guest. There the provider itself runs what somebody stays
 * with, and `note` is told once; nobody comes back to that.
 */
export function orBound(computer: Pick<EquippedComputer, 'name' | 'sessions' | 'spawn'>, note: (text: string) => void): Around['sessions'] {
  const { sessions } = computer
  return {
    list: () => sessions.list(),
    attach: (id, options) => sessions.attach(id, options),
    async start(argv, options = {}) {
      try {
        return await sessions.start(argv, options)
      } catch (error) {
        const left = options.detached === true || options.name !== undefined
        if (left || !hasCode(error, 'tool_missing', 'unsupported')) throw error
        const process = await computer.spawn(argv, options)
        note(`amux: ${reasonOf(error)}: the program runs without amux's guest, and ends with this command`)
        return bound(process, argv, options)
      }
    },
  }
}

function bound(process: Process, argv: readonly string[], { cwd = '', user = '', tty, labels = {} }: StartOptions): Launched {
  const now = new Date().toISOString()
  const session = { id: '', argv, cwd, user, tty: tty !== undefined, pid: 0, startedAt: now, state: { status: 'running' }, viewers: 1, owned: true, lastActiveAt: now, labels } as const
  return {
    bound: true,
    session,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    exit: process.exit,
    kill: (signal) => process.kill(signal),
    resize: (size) => process.resize(size),
    detach: () => process.kill('SIGHUP'),
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
