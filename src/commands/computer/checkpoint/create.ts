import { boolean, string } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'

export default class CheckpointCreate extends AmuxCommand {
  static override summary = "Keep a computer's whole disk as it is now, to come back to."
  static override description = `Programs go on; they stand still for a fraction of a second only. It covers everything on the disk and the project's files with their git state. Only what changed since the last one is copied.`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -m "before the refactoring"']
  static override flags = {
    ...computerFlags,
    message: string({ char: 'm', summary: 'What to remember it by.', helpValue: 'TEXT' }),
    workspace: boolean({ default: true, allowNo: true, summary: "Cover the project's files, too." }),
  }

  async execute(): Promise<void> {
    const { flags } = await this.parse(CheckpointCreate)
    const computer = await this.amux.computer(flags)
    this.out.progress(`Making a checkpoint of ${computer.name}`)
    const { message, workspace } = flags
    const point = await computer.checkpoints.create({ ...(message !== undefined && { message }), workspace, signal: this.signal })
    this.out.data(point, () => point.id)
  }
}
