import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, reach, recursiveFlag } from '../../../cli/files.ts'
import { fail } from '../../../errors/index.ts'
import { destination } from '../../../sync/index.ts'

export default class FsCp extends AmuxCommand {
  static override summary = 'Copy a file or directory within a computer.'
  static override description = 'Into an existing directory under its name. Links are copied as links. To or from this machine: "amux computer cp".'
  static override aliases = ['computer:fs:copy']
  static override examples = ['<%= config.bin %> <%= command.id %> config.json config.bak', '<%= config.bin %> <%= command.id %> -r src /tmp/src']
  static override args = {
    from: string({ required: true, description: 'Path on the computer.', ignoreStdin: true }),
    to: string({ required: true, description: 'The new one, or a directory.', ignoreStdin: true }),
  }
  static override flags = { ...computerFlags, recursive: recursiveFlag, preserve: boolean({ summary: 'Keep times and owners too.' }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(FsCp)
    const { computer, paths } = await reach(this, flags, [args.from, args.to])
    const [from = '', to = ''] = paths
    const target = await destination(computer, from, to)
    const { recursive, preserve } = flags
    await computer.files.copy(from, target, { recursive, preserve, signal: this.signal }).catch(async (error: unknown) => {
      const isDirectory = !recursive && (await computer.files.stat(from).catch(() => undefined))?.type === 'directory'
      throw isDirectory ? fail('conflict', `${from} on ${computer.name} is a directory`, { hint: 'To copy it with all that is in it: -r', computer: computer.name }) : about(computer, from, error)
    })
    this.out.data({ computer: computer.name, from, to: target }, () => target)
  }
}
