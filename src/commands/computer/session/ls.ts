import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { sessionColumns } from '../../../cli/verbs/index.ts'

export default class ComputerSessionLs extends AmuxCommand {
  static override summary = "List a computer's sessions, newest first."
  static override aliases = ['computer:session:list']
  static override description = 'Sessions that ended stay listed until they are removed.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json', '<%= config.bin %> <%= command.id %> -q | xargs <%= config.bin %> computer session kill']
  static override flags = { ...computerFlags }

  async execute(): Promise<void> {
    const { flags } = await this.parse(ComputerSessionLs)
    const computer = await this.amux.computer(flags)
    this.out.table(await computer.sessions.list(), sessionColumns(), { name: ({ id }) => id, empty: `${computer.name} has no sessions` })
  }
}
