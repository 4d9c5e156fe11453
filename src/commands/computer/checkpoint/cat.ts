import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { absoluteOn, splitPath } from '../../../cli/checkpoints.ts'

export default class CheckpointCat extends AmuxCommand {
  static override summary = 'Print a file as it was.'
  static override description = `A relative path begins in the directory you stand in, ~ is the home directory.`
  static override examples = ['<%= config.bin %> <%= command.id %> v3:/etc/hosts', '<%= config.bin %> <%= command.id %> v3:src/index.ts > old.ts']
  static override args = { file: string({ required: true, description: 'CHECKPOINT:PATH', ignoreStdin: true }) }
  static override flags = computerFlags
  static override instead = (id: string, [path]: readonly string[]) => (id.includes(':') ? undefined : `amux computer checkpoint cat ${id}:${path}`)

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointCat)
    const [id, path] = splitPath(args.file)
    const computer = await this.amux.computer(flags)
    const where = await absoluteOn(this.amux, computer, path)
    for await (const chunk of computer.checkpoints.read(id, where, { signal: this.signal })) await this.out.bytes(chunk)
  }
}
