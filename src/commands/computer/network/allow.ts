import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { changePolicy } from '../../../cli/network.ts'
import { putRules } from '../../../emulation/index.ts'

export default class NetworkAllow extends AmuxCommand {
  static override summary = 'Let a computer talk to more domains.'
  static override description = `Takes the place of a rule that denies the same domain. "defaults" allows the whole list of: amux computer network show --defaults. The first rule of an open computer turns everything else off.`
  static override examples = ['<%= config.bin %> <%= command.id %> example.com "*.example.com"', '<%= config.bin %> <%= command.id %> defaults']
  static override args = { domain: string({ required: true, ignoreStdin: true, description: 'example.com, *.example.com, * or defaults; several may be given.' }) }
  static override strict = false
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(NetworkAllow)
    await changePolicy(this, flags, {
      tell: true,
      edit: (before) => putRules(before, 'allow', argv.map(String)),
      remark: (before) => (before.rules.length === 0 ? 'It was open: everything else is denied from now on. To open it again: amux computer network reset' : undefined),
    })
  }
}
