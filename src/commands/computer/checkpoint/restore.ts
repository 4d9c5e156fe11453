import { boolean, string } from '@oclif/core/flags'
import { AmuxCommand, computerFlags, ownComputer } from '../../../cli/index.ts'
import { absoluteOn, checkpointArg, restoreTo } from '../../../cli/checkpoints.ts'

export default class CheckpointRestore extends AmuxCommand {
  static override summary = "Put a computer's disk back to a checkpoint, in place."
  static override description = `Ends every program on the computer and starts it again. The present state is kept first, as a safety point, so that a restore can be taken back: "undo". Where files of the project changed on this machine since, it says how many and asks.`
  static override destructive = true
  static override examples = ['<%= config.bin %> <%= command.id %> v3', '<%= config.bin %> <%= command.id %> v3 --keep-workspace', '<%= config.bin %> <%= command.id %> v3 --paths /etc --paths ~/.bashrc --yes']
  static override args = { checkpoint: checkpointArg }
  static override instead = (id: string, paths: readonly string[]) => ['amux computer checkpoint restore', id, ...paths.map((path) => `--paths ${path}`)].join(' ')
  static override flags = {
    ...computerFlags,
    paths: string({ summary: 'Only this path, with all below. May be repeated.', helpValue: 'PATH', multiple: true }),
    'keep-workspace': boolean({ summary: "Leave the project's files as they are." }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointRestore)
    const computer = await ownComputer(this.amux, flags)
    const paths = flags.paths && (await Promise.all(flags.paths.map((path) => absoluteOn(this.amux, computer, path))))
    await restoreTo(this, computer, { id: args.checkpoint, paths, keepWorkspace: flags['keep-workspace'] })
  }
}
