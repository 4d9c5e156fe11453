import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { changePolicy } from '../../../cli/network.ts'
import type { NetworkRule } from '../../../contract/index.ts'
import { putRules } from '../../../emulation/index.ts'

export default class NetworkDeny extends AmuxCommand {
  static override summary = 'Keep a computer from talking to domains.'
  static override description = `Takes the place of a rule that allows the same domain. On an open computer every other domain stays allowed: the rule "allow *" is added. Addresses that no allowed name leads to are denied under any policy.`
  static override examples = ['<%= config.bin %> <%= command.id %> ads.example.com', '<%= config.bin %> <%= command.id %> "*.example.com" example.com']
  static override args = { domain: string({ required: true, ignoreStdin: true, description: 'example.com, *.example.com or *; several may be given.' }) }
  static override strict = false
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(NetworkDeny)
    await changePolicy(this, flags, {
      tell: true,
      edit: (before) => putRules(before, 'deny', argv.map(String)),
      remark: (before, after) => (before.rules.length === 0 && after.rules.some(allowsAll) ? 'It was open: every other domain stays allowed, by the rule "allow *"; an address without a name does not.' : undefined),
    })
  }
}

function allowsAll(rule: NetworkRule): boolean {
  return 'domain' in rule && rule.domain === '*' && rule.action === 'allow'
}
