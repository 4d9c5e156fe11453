import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, parseMode, pathArg, reach, recursiveFlag } from '../../../cli/files.ts'

export default class FsChmod extends AmuxCommand {
  static override summary = 'Change permissions of files on a computer.'
  static override description = 'Links are left as they are.'
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> 755 run.sh', '<%= config.bin %> <%= command.id %> -r 700 ~/.ssh']
  static override args = { mode: string({ required: true, description: 'In octal, like 644.', ignoreStdin: true }), path: pathArg }
  static override flags = { ...computerFlags, recursive: recursiveFlag }

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(FsChmod)
    const [mode = '', ...typed] = argv.map(String)
    const bits = parseMode(mode)
    const { computer, paths } = await reach(this, flags, typed)
    for (const path of paths) {
      await computer.files.chmod(path, bits, { recursive: flags.recursive }).catch((error: unknown) => {
        throw about(computer, path, error)
      })
    }
    this.out.data({ computer: computer.name, mode, paths }, () => paths.join('\n'))
  }
}
