import type { SessionInfo, SessionState } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'
import type { Recorder } from './recorder.ts'
import type { Verdict } from './recorder-line.ts'
import { nameOf } from '../exec/signals.ts'

/** What the client that starts a session leaves with it. */
export interface Written {
  readonly argv: readonly string[]
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly cwd: string
  readonly user: string
  readonly tty: boolean
  readonly startedAt: string
}

/** What a living recorder says. */
export interface Live {
  readonly pid?: number
  readonly cols?: number
  readonly rows?: number
  readonly viewers?: number
  readonly owned?: boolean
  /** Milliseconds since something last came or went. */
  readonly idle?: number
}

export interface Entry {
  readonly id: string
  readonly boot: string
  /** Milliseconds since 1970. */
  readonly touched: number
  readonly record: Written
  readonly life: { readonly pid: number; readonly boot: string } | null
  readonly status: Verdict | null
  readonly live?: Live
}

/** Newest first. What cannot be read is left out, and alone. */
export async function readRecords(recorder: Recorder): Promise<readonly SessionInfo[]> {
  return (await readEntries(recorder)).map(infoOf).toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0))
}

export async function readEntries(recorder: Recorder): Promise<readonly Entry[]> {
  const text = await recorder.text(({ root }) => ['records', root])
  return text.split('\n').filter((line) => line !== '').flatMap((line) => {
    try {
      return [checked(JSON.parse(line) as Entry)]
    } catch (error) {
      recorder.sprite.context.debug(`a session's record cannot be read: ${String(error)}`)
      return []
    }
  })
}

function checked(entry: Entry): Entry {
  const { record } = entry
  if (!(record instanceof Object) || !Array.isArray(record.argv) || typeof record.startedAt !== 'string') throw new Error(`${entry.id} has no record`)
  return entry
}

export async function findRecord(recorder: Recorder, id: string): Promise<SessionInfo> {
  const all = await readRecords(recorder)
  const named = all.filter(({ name }) => name === id)
  const found = all.find((session) => session.id === id) ?? named.find(({ state }) => state.status === 'running') ?? named[0]
  if (found) return found
  const { name } = recorder.sprite
  throw fail('not_found', `there is no session ${JSON.stringify(id)} on ${name}`, { computer: name, hint: `See them: amux computer session ls -c ${name}` })
}

function infoOf({ id, boot, touched, record, life, status, live }: Entry): SessionInfo {
  const at = new Date(touched).toISOString()
  const ended: SessionState = { status: 'ended', reason: life?.boot === boot ? 'lost' : 'stopped', endedAt: at }
  const state = status ? stateOf(status, at) : live ? ({ status: 'running' } as const) : ended
  return describe(id, record, state === undefined ? ended : state, state?.status === 'running' ? live : undefined, life?.pid ?? 0, at)
}

export function describe(id: string, { argv, name, labels, cwd, user, tty, startedAt }: Written, state: SessionState, live: Live = {}, pid = 0, touched = startedAt): SessionInfo {
  const { cols = 0, rows = 0 } = live
  return {
    id,
    ...(name !== undefined && { name }),
    argv,
    cwd,
    user,
    tty,
    ...(tty && cols > 0 && { size: { cols, rows } }),
    pid: live.pid ?? pid,
    startedAt,
    state,
    viewers: live.viewers ?? 0,
    owned: live.owned ?? false,
    lastActiveAt: live.idle === undefined ? touched : new Date(Date.now() - live.idle).toISOString(),
    labels,
  }
}

/** Undefined where it has none of its own. */
export function stateOf({ status, number = 0, endedAt }: Verdict, otherwise: string): SessionState | undefined {
  if (status === 'exited') return { status, code: number, endedAt: endedAt ?? otherwise }
  if (status === 'restored') return { status: 'ended', reason: status, endedAt: endedAt ?? otherwise }
  if (status === 'killed') return { status, signal: nameOf(number), endedAt: endedAt ?? otherwise }
  return undefined
}
