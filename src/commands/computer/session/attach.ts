import { string } from '@oclif/core/args'
import { AmuxCommand } from '../../../cli/index.ts'
import { attach, attachTable, globalTable, oclifFlags, verbHost } from '../../../cli/verbs/index.ts'

export default class ComputerSessionAttach extends AmuxCommand {
  static override summary = 'Go back to a session. The same as: amux computer attach'
  static override examples = ['<%= config.bin %> <%= command.id %> build', '<%= config.bin %> <%= command.id %> build --read-only']
  static override args = { session: string({ ignoreStdin: true, description: 'Name or id of a session. Default: the newest that nobody is attached to.' }) }
  static override flags = oclifFlags(attachTable, globalTable)
  static override passThrough = true

  async execute(): Promise<number> {
    const { flags, args } = await this.parse(ComputerSessionAttach)
    return attach(flags, args.session, await verbHost(this, flags, { start: false }))
  }
}
