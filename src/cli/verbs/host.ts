import type { EquippedComputer } from '../../contract/index.ts'
import { directoryOn, locate } from '../../project/index.ts'
import type { AmuxCommand } from '../base.ts'
import type { ComputerSelection } from '../flags.ts'
import type { VerbHost } from './exec.ts'

/** A command's surroundings, for a verb. */
export async function verbHost(command: AmuxCommand, selection: ComputerSelection, options: { readonly start: boolean }): Promise<VerbHost> {
  const computer = await command.amux.computer(selection, options)
  command.out.settle()
  return {
    sessions: computer.sessions,
    attachCommand: attachCommand(computer),
    directory: await directory(command, computer),
    signal: command.signal,
    say: (text) => command.out.say(text),
    print: (document, text) => command.out.data(document, text),
    onEnd(handler) {
      const release = command.onInterrupt(handler)
      process.on('SIGQUIT', handler)
      return () => {
        process.off('SIGQUIT', handler)
        release()
      }
    },
  }
}

export function attachCommand({ name }: { readonly name: string }): string {
  return `amux computer attach -c ${name}`
}

/** Only where the computer is one of this project's. */
async function directory({ amux }: AmuxCommand, { provider, name }: EquippedComputer): Promise<string | undefined> {
  const located = locate((await amux.store()).read(), { provider, computer: name })
  return located?.workspace === undefined ? undefined : directoryOn(located.workspace, amux.project())
}
