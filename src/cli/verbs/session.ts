import type { SessionInfo } from '../../contract/index.ts'
import { formatDuration } from '../../util/duration.ts'
import type { Columns } from '../table.ts'

/** `running, attached`, `exited 1`, `killed SIGTERM`, `ended: stopped`. */
export function stateOf({ state, viewers }: SessionInfo): string {
  if (state.status === 'running') return viewers > 0 ? 'running, attached' : 'running'
  if (state.status === 'exited') return `exited ${state.code}`
  if (state.status === 'killed') return `killed ${state.signal}`
  return `ended: ${state.reason}`
}

export function sessionColumns(now = Date.now()): Columns<SessionInfo> {
  const age = (time: string): string => formatDuration(Math.max(0, now - Date.parse(time)))
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    state: stateOf,
    age: ({ startedAt }) => age(startedAt),
    active: ({ lastActiveAt, state }) => (state.status === 'running' ? `${age(lastActiveAt)} ago` : undefined),
    user: ({ user }) => user,
    command: ({ argv }) => commandLine(argv),
  }
}

const LONGEST = 60

/** Readable, not for copying: cut where it is long. */
export function commandLine(argv: readonly string[]): string {
  const line = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}
