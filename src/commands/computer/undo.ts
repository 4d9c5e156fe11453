import { integer } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags, ownComputer } from '../../cli/index.ts'
import { restoreTo } from '../../cli/checkpoints.ts'
import { fail } from '../../errors/index.ts'

export default class Undo extends AmuxCommand {
  static override summary = 'Go back to the newest checkpoint, or to the Nth newest.'
  static override description = `Takes back everything since: what an agent did after its automatic checkpoint, or a restore, since every restore leaves a safety point. So undoing twice brings back what the first one undid.`
  static override destructive = true
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> 2', '<%= config.bin %> <%= command.id %> --keep-workspace']
  static override args = { n: integer({ name: 'N', default: 1, min: 1, description: 'How many checkpoints back, as "checkpoint ls" lists them.', ignoreStdin: true }) }
  static override flags = { ...computerFlags, 'keep-workspace': boolean({ summary: "Leave the project's files as they are." }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Undo)
    const computer = await ownComputer(this.amux, flags)
    const points = await computer.checkpoints.list()
    const point = points[args.n - 1]
    if (point === undefined) {
      throw fail('not_found', `${computer.name} has ${points.length === 0 ? 'no checkpoints' : `only ${points.length}`}`, { hint: 'See which there are: amux computer checkpoint ls' })
    }
    this.out.note(`Going back to ${point.id}${point.message === undefined ? '' : ` (${point.message})`}, made ${point.createdAt}`)
    await restoreTo(this, computer, { id: point.id, keepWorkspace: flags['keep-workspace'] })
  }
}
