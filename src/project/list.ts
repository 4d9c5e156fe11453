import type { AmuxError, ComputerInfo, ComputerState } from '../contract/index.ts'
import { hasCode, normalise } from '../errors/index.ts'
import { locate } from './current.ts'
import { isTold } from './keep.ts'
import type { ComputerEntry, ProjectRecord } from './record.ts'

/** Of those that a record names and its provider does not list. */
const ASKED_MOST = 20

export interface ListedComputer {
  readonly name: string
  readonly provider: string
  /** `gone`: the record names it, its provider has it no more. `unknown`: its provider cannot say. */
  readonly state: ComputerState | 'gone' | 'unknown'
  readonly project: string | undefined
  readonly createdAt: string | undefined
  /** It is this project's. */
  readonly ours: boolean
  /** It is what commands here work on. */
  readonly current: boolean
}

interface Listed {
  list(): AsyncIterable<ComputerInfo>
  get(name: string): Promise<{ info(): Promise<ComputerInfo> }>
}

export interface ListOptions {
  connect(id: string): Promise<Listed>
  readonly onlyProject: boolean
}

export interface Listing {
  readonly rows: readonly ListedComputer[]
  /** Whose computers are not in the rows, and why. */
  readonly failures: readonly { readonly provider: string; readonly error: AmuxError }[]
}

/** Every provider is asked; one that fails is named and hides none of the others. */
export async function listComputers(record: ProjectRecord | undefined, ids: readonly string[], options: ListOptions): Promise<Listing> {
  const answers = await Promise.all(ids.map((id) => one(record, id, options)))
  const rows = answers.flatMap(({ rows }) => rows).filter((row) => row.ours || !options.onlyProject)
  return {
    rows: rows.toSorted((a, b) => Number(b.ours) - Number(a.ours) || (a.name < b.name ? -1 : 1)),
    failures: answers.flatMap(({ failure }) => failure ?? []),
  }
}

interface Answer {
  readonly rows: readonly ListedComputer[]
  readonly failure?: Listing['failures'][number]
}

async function one(record: ProjectRecord | undefined, provider: string, options: ListOptions): Promise<Answer> {
  const ours = record?.providers[provider]?.computers ?? {}
  const current = locate(record, {})
  const rows: ListedComputer[] = []
  const isCurrent = (name: string) => current?.provider === provider && current.name === name
  const row = ({ name, state, createdAt, labels }: ComputerInfo, mine: boolean) => ({ name, provider, state, project: labels['amux.project'], createdAt, ours: mine, current: isCurrent(name) })
  try {
    const connected = await options.connect(provider)
    for await (const info of connected.list()) {
      rows.push(row(info, Object.hasOwn(ours, info.name) || (record !== undefined && info.labels['amux.project-id'] === record.id)))
    }
    const left = missing()
    const asked = await Promise.all(left.slice(0, ASKED_MOST).map(([name, entry]) => ask(connected, name, entry)))
    const found = left.map(([name, entry], at) => {
      const { info, state = 'unknown' } = asked[at] ?? {}
      return info ? row(info, true) : recorded(name, entry, state)
    })
    const error = asked.find((answer) => answer.error !== undefined)?.error
    return { rows: [...rows, ...found], ...(error !== undefined && { failure: { provider, error: normalise(error, { provider }) } }) }
  } catch (error) {
    return { rows: [...rows, ...missing().map(([name, entry]) => recorded(name, entry, 'unknown'))], failure: { provider, error: normalise(error, { provider }) } }
  }

  /** What only the record names. */
  function missing(): [string, ComputerEntry][] {
    return Object.entries(ours).filter(([name]) => !rows.some((one) => one.name === name))
  }

  function recorded(name: string, { createdAt }: ComputerEntry, state: 'gone' | 'unknown'): ListedComputer {
    return { name, provider, state, project: undefined, createdAt, ours: true, current: isCurrent(name) }
  }
}

/** It may be there and not be in the list: its labels, by which it is listed, can be replaced by anybody. */
async function ask(connected: Listed, name: string, { madeAt }: ComputerEntry): Promise<{ readonly info?: ComputerInfo; readonly state?: 'gone' | 'unknown'; readonly error?: unknown }> {
  try {
    const info = await (await connected.get(name)).info()
    return !isTold(madeAt) || madeAt === info.createdAt ? { info } : { state: 'gone' }
  } catch (error) {
    return hasCode(error, 'not_found') ? { state: 'gone' } : { state: 'unknown', error }
  }
}
