import type { IdleState } from '../contract/index.ts'
import { formatAgo, formatDuration } from '../util/duration.ts'
import type { AmuxCommand } from './base.ts'
import { ownComputer } from './computers.ts'
import type { ComputerSelection } from './flags.ts'

export function describeIdleStop(after: number | undefined): string {
  return after === undefined ? 'never stops by itself' : `stops once nothing has used it for ${formatDuration(after)}`
}

/** One line: what it does, or since when it does nothing, and what holds it. */
export function describeIdle({ since, because, held = [] }: IdleState): string {
  const keeps = held.length === 0 ? '' : `; what keeps it up: ${held.join(', ')}`
  return `${since === undefined ? `at work: ${because.join(', ')}` : `idle, last used ${formatAgo(since)}`}${keeps}`
}

/** `after` in milliseconds; undefined: never. */
export async function setIdleStop({ amux, out }: Pick<AmuxCommand, 'amux' | 'out'>, selection: ComputerSelection, after: number | undefined): Promise<void> {
  const computer = await ownComputer(amux, selection)
  await computer.idleStop.set(after)
  out.data({ computer: computer.name, provider: computer.provider, after: after ?? null }, () => `${computer.name} ${describeIdleStop(after)}`)
}
