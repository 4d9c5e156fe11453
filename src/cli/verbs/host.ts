import type { EquippedComputer } from '../../contract/index.ts'
import type { AmuxCommand } from '../base.ts'
import type { ComputerSelection } from '../flags.ts'
import { placeOn } from '../place.ts'
import { attachCommand, onConnection, onEnd } from './around.ts'
import { orBound } from './bound.ts'
import type { VerbHost } from './exec.ts'

/** A command's surroundings, for a verb. */
export async function verbHost(command: AmuxCommand, selection: ComputerSelection, options: { readonly start: boolean } = { start: true }): Promise<VerbHost> {
  return hostOf(command, await command.amux.computer(selection, options))
}

export async function hostOf(command: AmuxCommand, computer: EquippedComputer): Promise<VerbHost> {
  command.out.settle()
  const say = (text: string): void => command.out.say(text)
  command.amux.onConnection = onConnection(say)
  const { directory, away } = await placeOn(command.amux, computer)
  return {
    sessions: orBound(computer, (text) => command.out.note(text)),
    attachCommand: attachCommand(computer.name),
    directory,
    away,
    signal: command.signal,
    say,
    print: (document, text) => command.out.data(document, text),
    onEnd: onEnd((handler) => command.onInterrupt(handler)),
  }
}
