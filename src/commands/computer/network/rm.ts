import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { changePolicy } from '../../../cli/network.ts'
import { dropRules } from '../../../emulation/index.ts'

export default class NetworkRm extends AmuxCommand {
  static override summary = "Take rules out of a computer's network policy."
  static override aliases = ['computer:network:delete', 'computer:network:destroy']
  static override description = 'Names the domain of each rule, as "show" prints it; "defaults" means the included list. Without the last rule everything is allowed, so that one goes only after a yes.'
  static override examples = ['<%= config.bin %> <%= command.id %> example.com', '<%= config.bin %> <%= command.id %> defaults']
  static override args = { domain: string({ required: true, ignoreStdin: true, description: 'Domain of a rule, or defaults; several may be given.' }) }
  static override strict = false
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(NetworkRm)
    await changePolicy(this, flags, {
      edit: async (before, { name }) => {
        const after = dropRules(before, argv.map(String))
        if (after.rules.length === 0) await this.confirm(`No rule is left on ${name} then, and without rules everything is allowed. Remove it? (To deny everything: amux computer network set none)`)
        return after
      },
    })
  }
}
