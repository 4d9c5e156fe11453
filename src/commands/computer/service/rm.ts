import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { serviceArg } from '../../../cli/services.ts'

export default class ServiceRm extends AmuxCommand {
  static override summary = 'End a service and forget it.'
  static override aliases = ['computer:service:delete', 'computer:service:destroy']
  static override examples = ['<%= config.bin %> <%= command.id %> web', '<%= config.bin %> <%= command.id %> web --yes']
  static override args = { service: serviceArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ServiceRm)
    const computer = await this.amux.computer(flags, { start: true })
    const { name } = await computer.services.get(args.service)
    await this.confirm(`End service ${name} on ${computer.name} and forget it?`)
    await computer.services.remove(name)
    this.out.data({ removed: name, computer: computer.name, provider: computer.provider }, () => name)
  }
}
