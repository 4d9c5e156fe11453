import type { SessionInfo } from '../../contract/index.ts'
import { formatAgo } from '../../util/duration.ts'
import type { Columns } from '../table.ts'
import { isLogin } from './login.ts'

/** `running, attached`, `exited 1`, `killed SIGTERM`, `ended: stopped`. */
export function stateOf({ state, viewers }: SessionInfo): string {
  if (state.status === 'running') return viewers > 0 ? 'running, attached' : 'running'
  if (state.status === 'exited') return `exited ${state.code}`
  if (state.status === 'killed') return `killed ${state.signal}`
  return `ended: ${state.reason}`
}

export function sessionColumns(now = Date.now()): Columns<SessionInfo> {
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    state: stateOf,
    started: ({ startedAt }) => formatAgo(startedAt, now),
    active: ({ lastActiveAt, state }) => (state.status === 'running' ? formatAgo(lastActiveAt, now) : undefined),
    user: ({ user }) => user,
    command: commandLine,
  }
}

const LONGEST = 48

/** Readable, not for copying: what people call it, and cut where it is long. */
export function commandLine({ argv, labels, command }: Pick<SessionInfo, 'argv' | 'labels' | 'command'>): string {
  const [first, ...rest] = argv
  const words = isLogin(argv) ? ['shell'] : [labels['agent'] ?? first ?? '', ...rest]
  const line = command === undefined ? words.map(shown).join(' ') : command.replaceAll(/\p{Cc}/gu, escaped)
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}

function shown(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`
  return `$'${word.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll(/\p{Cc}/gu, escaped)}'`
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
