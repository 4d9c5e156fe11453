import type { ExitStatus, SessionState } from '../contract/index.ts'

/** Linux's numbers: the program ran there, whatever this machine is. */
const numbers: Readonly<Record<string, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10,
  SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19,
  SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28,
  SIGIO: 29, SIGPWR: 30, SIGSYS: 31,
}

/** `SIGTERM`, `TERM` and `15` are the same; undefined for what is no signal. */
export function signalName(text: string): string | undefined {
  const upper = text.toUpperCase()
  for (const name of [upper, `SIG${upper}`]) if (Object.hasOwn(numbers, name) || /^SIGRT(MIN|MAX)([+-]\d+)?$/.test(name)) return name
  return Object.keys(numbers).find((name) => String(numbers[name]) === text)
}

function signalNumber(name: string): number {
  const known = numbers[name]
  if (known !== undefined) return known
  const realtime = /^SIGRT(MIN|MAX)([+-]\d+)?$/.exec(name)
  if (realtime !== null) return (realtime[1] === 'MIN' ? 34 : 64) + Number(realtime[2] ?? 0)
  return Number(/^(?:SIG)?(\d+)$/.exec(name)?.[1] ?? 0)
}

/** What a shell would report for it. */
export function exitCode(status: ExitStatus): number {
  return status.signal === undefined ? status.code : 128 + signalNumber(status.signal)
}

/** An ended session's status, or undefined when it has none of its own. */
export function statusOf(state: SessionState): ExitStatus | undefined {
  if (state.status === 'exited') return { code: state.code }
  if (state.status === 'killed') return { signal: state.signal }
  return undefined
}
