import { AmuxCommand, computerFlags, ownComputer } from '../../../cli/index.ts'
import { checkpointArg } from '../../../cli/checkpoints.ts'

export default class CheckpointRm extends AmuxCommand {
  static override summary = 'Delete checkpoints. Others, and the disk, are not concerned.'
  static override aliases = ['computer:checkpoint:delete']
  static override destructive = true
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> v3', '<%= config.bin %> <%= command.id %> v1 v2 --yes']
  static override args = { checkpoint: checkpointArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(CheckpointRm)
    const ids = [...new Set(argv.map(String))]
    const computer = await ownComputer(this.amux, flags)
    for (const id of ids) await computer.checkpoints.get(id)
    await this.confirm(`Delete ${ids.length === 1 ? 'checkpoint' : 'checkpoints'} ${ids.join(', ')} of ${computer.name}?`)
    await computer.checkpoints.remove(ids)
    this.out.data({ computer: computer.name, removed: ids }, () => ids.join('\n'))
  }
}
