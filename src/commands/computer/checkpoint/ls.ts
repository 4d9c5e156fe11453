import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { checkpointColumns } from '../../../cli/checkpoints.ts'

export default class CheckpointLs extends AmuxCommand {
  static override summary = "List a computer's checkpoints, newest first."
  static override aliases = ['computer:checkpoint:list']
  static override description = `SIZE is what its files hold; COST is the room that removing this one alone would give back. Automatic ones, and the safety points that every restore takes, are pruned: ten are kept, none longer than 14 days.`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { flags } = await this.parse(CheckpointLs)
    const computer = await this.amux.computer(flags)
    this.out.table(await computer.checkpoints.list(), checkpointColumns, { name: ({ id }) => id, empty: `${computer.name} has no checkpoints. Make one: amux computer checkpoint create` })
  }
}
