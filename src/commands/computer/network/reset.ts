import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { changePolicy } from '../../../cli/network.ts'

export default class NetworkReset extends AmuxCommand {
  static override summary = 'Let a computer talk to everything again.'
  static override description = 'The rules that were there are printed on stderr, so that they can be put back with "set".'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> 2> before.txt']
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { flags } = await this.parse(NetworkReset)
    await changePolicy(this, flags, { tell: true, edit: () => ({ rules: [] }) })
  }
}
