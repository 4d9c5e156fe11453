import { string } from '@oclif/core/args'
import { boolean, string as text } from '@oclif/core/flags'
import { AmuxCommand, computerFlags, ownComputer } from '../../../cli/index.ts'
import { fail } from '../../../errors/index.ts'
import { readableAt } from '../../../util/readable.ts'
import { sourceOf } from '../../../util/streams.ts'

export default class CheckpointImport extends AmuxCommand {
  static override summary = 'Take in a checkpoint that was exported, from this computer or another.'
  static override description = `It gets an id of its own; nothing on the disk changes until you restore it. Home and project fit on every computer. The system comes along only where it was made over the same: the same image, or the same machine. A file that is damaged, cut short or forged is refused whole. "-" is standard input.`
  static override examples = ['<%= config.bin %> <%= command.id %> before.tar', '<%= config.bin %> <%= command.id %> before.tar --without-system', 'zstd -d < before.tar.zst | <%= config.bin %> <%= command.id %> -']
  static override args = { file: string({ required: true, description: 'File to read, or -.', ignoreStdin: true }) }
  static override flags = {
    ...computerFlags,
    message: text({ char: 'm', summary: 'What to remember it by. Default: where it comes from.', helpValue: 'TEXT' }),
    'without-system': boolean({ summary: 'Leave the system out: home and project alone.' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointImport)
    const { file } = args
    const { message } = flags
    const { checkpoints } = await ownComputer(this.amux, flags)
    if (file === '-' && process.stdin.isTTY) throw fail('invalid_argument', 'a tar stream is expected on standard input', { hint: 'Name a file, or redirect one: < FILE' })
    this.out.progress('Taking in the checkpoint')
    const tar = sourceOf(file === '-' ? process.stdin : readableAt(file))
    const point = await checkpoints.import(tar, { ...(message !== undefined && { message }), withoutSystem: flags['without-system'], signal: this.signal })
    this.out.data(point, () => point.id)
  }
}
