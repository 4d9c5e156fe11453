import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, modeFlag, pathArg, reach } from '../../../cli/files.ts'

export default class FsMkdir extends AmuxCommand {
  static override summary = 'Make directories on a computer.'
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> build', '<%= config.bin %> <%= command.id %> -p ~/.config/tool --mode 700']
  static override args = { path: pathArg }
  static override flags = {
    ...computerFlags,
    parents: boolean({ char: 'p', summary: 'Those above too; one that is there is no error.' }),
    mode: modeFlag({ summary: 'Permissions in octal. Default: 755.' }),
  }

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(FsMkdir)
    const { computer, paths } = await reach(this, flags, argv.map(String))
    const { parents, mode } = flags
    for (const path of paths) {
      await computer.files.mkdir(path, { parents, ...(mode !== undefined && { mode }) }).catch((error: unknown) => {
        throw about(computer, path, error)
      })
    }
    this.out.data({ computer: computer.name, paths }, () => paths.join('\n'))
  }
}
