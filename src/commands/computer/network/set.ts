import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { changePolicy } from '../../../cli/network.ts'
import { readPolicy } from '../../../emulation/index.ts'

export default class NetworkSet extends AmuxCommand {
  static override summary = 'Replace what a computer may talk to.'
  static override description = `POLICY is a file, - for standard input, or one of: open (no rules), none (nothing), defaults (code, packages, models and little else; see: amux computer network show --defaults). A file has one rule a line, or is JSON: {"rules":[{"domain":"example.com","action":"allow"},{"include":"defaults"}]}.

  allow example.com        # itself alone
  allow *.example.com      # everything below it, not itself
  deny  ads.example.com    # the most specific rule wins, whatever the order
  include defaults

It is in force when the command ends: connections to what is still allowed go on, all others are cut. It outlives stops.`
  static override examples = ['<%= config.bin %> <%= command.id %> policy.txt', '<%= config.bin %> <%= command.id %> defaults', 'echo "allow example.com" | <%= config.bin %> <%= command.id %> -']
  static override args = { policy: string({ required: true, ignoreStdin: true, description: 'File, - for standard input, or open, none, defaults.' }) }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(NetworkSet)
    const policy = await readPolicy(args.policy)
    await changePolicy(this, flags, { tell: true, edit: () => policy })
  }
}
