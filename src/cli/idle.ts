import type { IdleState, ProviderDescriptor } from '../contract/index.ts'
import { foresee } from '../emulation/index.ts'
import { fail } from '../errors/index.ts'
import { formatAgo, formatDuration } from '../util/duration.ts'
import type { AmuxCommand } from './base.ts'
import { ownComputer } from './computers.ts'
import type { ComputerSelection } from './flags.ts'

/** Before anything is made that would then have to go. */
export function needIdleStop({ id, capabilities }: Pick<ProviderDescriptor, 'id' | 'capabilities'>): void {
  const { fidelity, note } = foresee(capabilities)['idle-stop']
  if (fidelity === 'unavailable') throw fail('unsupported', `--idle: computers on ${id} are not made to stop by themselves: ${note}`, { hint: 'Leave --idle out.', provider: id })
}

export function describeIdleStop(after: number | undefined): string {
  return after === undefined ? 'never stops by itself' : `stops once nothing has used it for ${formatDuration(after)}`
}

/** One line: what it does, or since when it does nothing, and what holds it then. */
export function describeIdle({ since, because, held = [] }: IdleState): string {
  const keeps = held.length === 0 ? '' : `, kept by ${held.join('; ')}`
  return since === undefined ? `at work: ${because.join('; ')}` : `idle since ${formatAgo(since)}${keeps}`.replace('since just now', 'just now')
}

/** `after` in milliseconds; undefined: never. */
export async function setIdleStop({ amux, out }: Pick<AmuxCommand, 'amux' | 'out'>, selection: ComputerSelection, after: number | undefined): Promise<void> {
  const computer = await ownComputer(amux, selection)
  await computer.idleStop.set(after)
  out.data({ computer: computer.name, provider: computer.provider, after: after ?? null }, () => `${computer.name} ${describeIdleStop(after)}`)
}
