import { AmuxCommand, computerArg, computerFlags, pick } from '../../../cli/index.ts'
import { serviceColumns } from '../../../cli/services.ts'

export default class ServiceLs extends AmuxCommand {
  static override summary = "List a computer's services."
  static override aliases = ['computer:service:list']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ServiceLs)
    const computer = await this.amux.computer(pick(flags, args.computer))
    this.out.table(await computer.services.list(), serviceColumns, { name: ({ name }) => name, empty: `${computer.name} has no services.` })
  }
}
