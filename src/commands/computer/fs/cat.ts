import { integer } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, pathArg, reach } from '../../../cli/files.ts'

export default class FsCat extends AmuxCommand {
  static override summary = "Print files' bytes, exactly."
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> /etc/hosts', '<%= config.bin %> <%= command.id %> app.log --offset 1048576 --length 4096']
  static override args = { path: pathArg }
  static override flags = {
    ...computerFlags,
    offset: integer({ summary: 'Begin at this byte of each.', helpValue: 'BYTES', min: 0 }),
    length: integer({ summary: 'At most so many bytes of each.', helpValue: 'BYTES', min: 0 }),
  }

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(FsCat)
    const { computer, paths } = await reach(this, flags, argv.map(String))
    const { offset, length } = flags
    const part = { signal: this.signal, ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) }
    for (const path of paths) {
      try {
        for await (const chunk of computer.files.read(path, part)) await this.out.bytes(chunk)
      } catch (error) {
        throw about(computer, path, error)
      }
    }
  }
}
