import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { describeService, serviceArg } from '../../../cli/services.ts'

export default class ServiceInfo extends AmuxCommand {
  static override summary = 'Show one service.'
  static override aliases = ['computer:service:show', 'computer:service:inspect']
  static override examples = ['<%= config.bin %> <%= command.id %> web', '<%= config.bin %> <%= command.id %> web --json']
  static override args = { service: serviceArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ServiceInfo)
    const computer = await this.amux.computer(flags)
    // Values of variables may be secret.
    const { env = {}, ...service } = await computer.services.get(args.service)
    const variables = Object.keys(env)
    this.out.data({ ...service, variables, computer: computer.name, provider: computer.provider }, () => {
      const { name, argv, needs = [], problem: _, ...rest } = service
      const shown = { name, ...rest, state: describeService(service), command: argv.join(' '), needs: needs.join(', '), variables: variables.join(', ') }
      return Object.entries(shown).flatMap(([key, value]) => (value === '' ? [] : [`${key.padEnd(14)} ${String(value)}`])).join('\n')
    })
  }
}
