import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { serviceArg, withService } from '../../../cli/services.ts'

export default class ServiceRestart extends AmuxCommand {
  static override summary = 'Stop a service and start it again.'
  static override examples = ['<%= config.bin %> <%= command.id %> web']
  static override args = { service: serviceArg }
  static override flags = computerFlags

  async execute(): Promise<number> {
    const { args, flags } = await this.parse(ServiceRestart)
    return withService(this, flags, (services) => services.restart(args.service))
  }
}
