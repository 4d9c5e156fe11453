import type { ComputerState, SessionInfo } from '../contract/index.ts'
import { paths } from '../config/index.ts'
import { hasCode } from '../errors/index.ts'
import { type Inspection, type ProjectRecord, chosenProvider, doubt, inspect, locate } from '../project/index.ts'
import type { Context } from './context.ts'

export interface ProjectStatus {
  readonly project: { readonly name: string; readonly path: string }
  /** The record is there, and is not to be followed before the user said so. */
  readonly untrusted?: { readonly file: string; readonly standing: 'copied' | 'foreign'; readonly problem: string; readonly hint?: string | undefined }
  readonly provider?: { readonly id: string; readonly chosenBy: 'AMUX_PROVIDER' | 'the project' }
  readonly computer?: ComputerStatus
  /** Its making was begun, and nobody knows how far it got. */
  readonly unfinished?: string
}

interface ComputerStatus {
  readonly name: string
  readonly state: ComputerState | 'gone'
  readonly problem?: string
  /** Of a running one. */
  readonly sessions?: readonly SessionInfo[]
}

/** Looks, and changes nothing: no record is settled, no computer is woken. */
export async function projectStatus(amux: Context): Promise<ProjectStatus> {
  const { name, root } = amux.project()
  const found = inspect(amux.project(), paths().state)
  const record = trusted(found)
  const id = amux.settings.provider ?? chosenProvider(record)
  const about = { project: { name, path: root }, ...untrusted(amux, found) }
  if (id === undefined) return about
  const provider = { id, chosenBy: amux.settings.provider === undefined ? ('the project' as const) : ('AMUX_PROVIDER' as const) }
  const located = locate(record, { provider: id })
  if (!located) await amux.registry.find(id)
  if (located) return { ...about, provider, computer: await look(amux, id, located.name) }
  const unfinished = record?.providers[id]?.pending?.name
  return { ...about, provider, ...(unfinished !== undefined && { unfinished }) }
}

/** A stranger's record names computers that are not this user's to touch. */
export function trusted(found: Inspection): ProjectRecord | undefined {
  return found.record && (found.standing === 'own' || found.standing === 'moved') ? found.record : undefined
}

function untrusted(amux: Context, found: Inspection): Pick<ProjectStatus, 'untrusted'> {
  const problem = doubt(amux.project(), found)
  if (!problem || !found.record || found.standing === 'own' || found.standing === 'moved') return {}
  return { untrusted: { file: found.file, standing: found.standing, problem: problem.message, hint: problem.hint } }
}

async function look(amux: Context, provider: string, name: string): Promise<ComputerStatus> {
  const connected = await amux.registry.connect(provider)
  try {
    const computer = await connected.get(name)
    const { state, problem } = await computer.info()
    const about = { name, state, ...(problem === undefined ? {} : { problem }) }
    if (state !== 'running') return about
    const sessions = await computer.sessions.list()
    return { ...about, sessions: sessions.filter((session) => session.state.status === 'running') }
  } catch (error) {
    if (hasCode(error, 'not_found')) return { name, state: 'gone', problem: `${provider} no longer has it` }
    throw error
  }
}
