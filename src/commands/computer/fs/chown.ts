import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, pathArg, reach, recursiveFlag } from '../../../cli/files.ts'

export default class FsChown extends AmuxCommand {
  static override summary = 'Change whose files on a computer are.'
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> root /etc/tool.conf', '<%= config.bin %> <%= command.id %> -r 1000:1000 data']
  static override args = { owner: string({ required: true, description: 'A name, a uid, or UID:GID.', ignoreStdin: true }), path: pathArg }
  static override flags = { ...computerFlags, recursive: recursiveFlag }

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(FsChown)
    const [owner = '', ...typed] = argv.map(String)
    const { computer, paths } = await reach(this, flags, typed)
    for (const path of paths) {
      await computer.files.chown(path, owner, { recursive: flags.recursive }).catch((error: unknown) => {
        throw about(computer, path, error)
      })
    }
    this.out.data({ computer: computer.name, owner, paths }, () => paths.join('\n'))
  }
}
