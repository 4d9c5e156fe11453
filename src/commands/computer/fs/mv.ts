import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, reach } from '../../../cli/files.ts'
import { destination } from '../../../sync/index.ts'

export default class FsMv extends AmuxCommand {
  static override summary = 'Move or rename a file or directory on a computer.'
  static override description = 'Into an existing directory under its name. A file that is there already is replaced, as with mv.'
  static override aliases = ['computer:fs:rename']
  static override examples = ['<%= config.bin %> <%= command.id %> draft.md final.md', '<%= config.bin %> <%= command.id %> build/app ~/bin/']
  static override args = {
    from: string({ required: true, description: 'Path on the computer.', ignoreStdin: true }),
    to: string({ required: true, description: 'The new one, or a directory.', ignoreStdin: true }),
  }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(FsMv)
    const { computer, paths } = await reach(this, flags, [args.from, args.to])
    const [from = '', to = ''] = paths
    const target = await destination(computer, from, to)
    await computer.files.rename(from, target).catch((error: unknown) => {
      throw about(computer, from, error)
    })
    this.out.data({ computer: computer.name, from, to: target }, () => target)
  }
}
