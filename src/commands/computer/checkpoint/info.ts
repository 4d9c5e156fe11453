import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { checkpointArg } from '../../../cli/checkpoints.ts'
import { formatBytes } from '../../../util/bytes.ts'

export default class CheckpointInfo extends AmuxCommand {
  static override summary = 'Show one checkpoint.'
  static override aliases = ['computer:checkpoint:show', 'computer:checkpoint:inspect']
  static override examples = ['<%= config.bin %> <%= command.id %> v3']
  static override args = { checkpoint: checkpointArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointInfo)
    const computer = await this.amux.computer(flags)
    const point = await computer.checkpoints.get(args.checkpoint)
    const { size, cost, ...rest } = point
    const shown = { ...rest, computer: computer.name, ...(size !== undefined && { size: formatBytes(size) }), ...(cost !== undefined && { cost: formatBytes(cost) }) }
    this.out.data({ ...point, computer: computer.name, provider: computer.provider }, () => {
      return Object.entries(shown).map(([key, value]) => `${key.padEnd(10)} ${String(value)}`).join('\n')
    })
  }
}
