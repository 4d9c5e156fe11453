import type { EquippedComputer } from '../../contract/index.ts'
import { directoryOn, locate } from '../../project/index.ts'
import type { AmuxCommand } from '../base.ts'
import type { ComputerSelection } from '../flags.ts'
import { attachCommand, onConnection, onEnd } from './around.ts'
import type { VerbHost } from './exec.ts'

/** A command's surroundings, for a verb. */
export async function verbHost(command: AmuxCommand, selection: ComputerSelection, options: { readonly start: boolean } = { start: true }): Promise<VerbHost> {
  return hostOf(command, await command.amux.computer(selection, options))
}

export async function hostOf(command: AmuxCommand, computer: EquippedComputer): Promise<VerbHost> {
  command.out.settle()
  const say = (text: string): void => command.out.say(text)
  command.amux.onConnection = onConnection(say)
  return {
    sessions: computer.sessions,
    attachCommand: attachCommand(computer.name),
    directory: await directory(command, computer),
    signal: command.signal,
    say,
    print: (document, text) => command.out.data(document, text),
    onEnd: onEnd((handler) => command.onInterrupt(handler)),
  }
}

/** Only where the computer is one of this project's. */
async function directory({ amux }: AmuxCommand, { provider, name }: EquippedComputer): Promise<string | undefined> {
  const located = locate((await amux.followed())?.read(), { provider, computer: name })
  return located?.workspace === undefined ? undefined : directoryOn(located.workspace, amux.project())
}
