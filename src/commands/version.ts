import { AmuxCommand } from '../cli/index.ts'
import { PROTOCOL } from '../protocol/index.ts'

export default class Version extends AmuxCommand {
  static override summary = 'Print the version of amux.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async execute(): Promise<void> {
    await this.parse(Version)
    const { userAgent, version } = this.config
    const document = { version, node: process.version, platform: process.platform, arch: process.arch, protocol: PROTOCOL }
    this.out.data(document, () => userAgent)
  }
}
