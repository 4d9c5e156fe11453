import { string } from '@oclif/core/args'
import { AmuxCommand } from '../../cli/index.ts'
import { attach, attachTable, globalTable, oclifFlags, verbHost } from '../../cli/verbs/index.ts'

export default class ComputerAttach extends AmuxCommand {
  static override summary = 'Go back to a session.'
  static override description = 'Shows what a terminal session shows, and takes it over; of another one, its output from the oldest byte that is kept. Without a session: the newest that nobody is attached to. Ctrl-\\ leaves it running.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> build', '<%= config.bin %> <%= command.id %> build --read-only']
  static override args = { session: string({ ignoreStdin: true, description: 'Name or id of a session.' }) }
  static override flags = oclifFlags(attachTable, globalTable)
  static override passThrough = true

  async execute(): Promise<number> {
    const { flags, args } = await this.parse(ComputerAttach)
    return attach(flags, args.session, await verbHost(this, flags, { start: false }))
  }
}
