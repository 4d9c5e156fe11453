import { string } from '@oclif/core/args'
import type { ComputerInfo, EquippedComputer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { isOurs } from '../project/index.ts'
import type { Context } from './context.ts'
import type { ComputerSelection } from './flags.ts'

/** A computer as the only argument; `-c` says the same. */
export const computerArg = string({ description: "Name of a computer. Default: this project's.", ignoreStdin: true })

export function pick(flags: ComputerSelection, name: string | undefined): ComputerSelection {
  if (name !== undefined && flags.computer !== undefined && name !== flags.computer) {
    throw fail('invalid_argument', `${name} and -c ${flags.computer} are two computers`, { hint: 'Name one.' })
  }
  return { computer: name ?? flags.computer, provider: flags.provider }
}

export function describeState({ state, problem, because }: ComputerInfo): string {
  const why = because === undefined ? '' : ` ${because}`
  return problem === undefined ? `${state}${why}` : `${state}: ${problem}`
}

/** A computer that amux may stop or delete: it made it, or the user gave it. */
export async function ownComputer(amux: Context, selection: ComputerSelection): Promise<EquippedComputer> {
  const computer = await amux.computer(selection)
  const info = await computer.info()
  const { provider, name } = computer
  if (isOurs(info, (await amux.followed())?.read(), provider)) return computer
  throw fail('conflict', `${name} on ${provider} was not made by amux, which leaves it alone`, {
    hint: `Give it to this project first: amux computer use ${name} -P ${provider} --adopt`,
    provider,
    computer: name,
  })
}

/** Starts it if need be. */
export async function wakeComputer(amux: Context, computer: EquippedComputer): Promise<void> {
  const { wake } = await import('./resolve.ts')
  return wake(amux, computer)
}
