import { AmuxCommand } from '../../cli/index.ts'
import { globalTable, oclifFlags, shell, shellTable, verbHost } from '../../cli/verbs/index.ts'

export default class ComputerShell extends AmuxCommand {
  static override summary = 'Open a shell on a computer.'
  static override aliases = ['computer:console', 'computer:connect']
  static override description = "The user's login shell, in this directory's place on the computer. Ctrl-\\ leaves it running: amux computer attach goes back."
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -u root -w /etc']
  static override flags = oclifFlags(shellTable, globalTable)
  static override passThrough = true

  async execute(): Promise<number> {
    const { flags } = await this.parse(ComputerShell)
    return shell(flags, await verbHost(this, flags))
  }
}
