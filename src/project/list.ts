import type { AmuxError, ComputerInfo, ComputerState } from '../contract/index.ts'
import { normalise } from '../errors/index.ts'
import { locate } from './current.ts'
import type { ProjectRecord } from './record.ts'

export interface ListedComputer {
  readonly name: string
  readonly provider: string
  /** `gone`: the record names it, its provider has it no more. `unknown`: its provider cannot be asked. */
  readonly state: ComputerState | 'gone' | 'unknown'
  readonly project: string | undefined
  readonly createdAt: string | undefined
  /** It is this project's. */
  readonly ours: boolean
  /** It is what commands here work on. */
  readonly current: boolean
}

export interface ListOptions {
  connect(id: string): Promise<{ list(): AsyncIterable<ComputerInfo> }>
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
  try {
    for await (const { name, state, createdAt, labels } of (await options.connect(provider)).list()) {
      const mine = Object.hasOwn(ours, name) || (record !== undefined && labels['amux.project-id'] === record.id)
      rows.push({ name, provider, state, project: labels['amux.project'], createdAt, ours: mine, current: isCurrent(name) })
    }
  } catch (error) {
    return { rows: [...rows, ...others('unknown')], failure: { provider, error: normalise(error, { provider }) } }
  }
  return { rows: [...rows, ...others('gone')] }

  /** What only the record names. */
  function others(state: 'gone' | 'unknown'): ListedComputer[] {
    const left = Object.entries(ours).filter(([name]) => !rows.some((row) => row.name === name))
    return left.map(([name, { createdAt }]) => ({ name, provider, state, project: undefined, createdAt, ours: true, current: isCurrent(name) }))
  }
}
