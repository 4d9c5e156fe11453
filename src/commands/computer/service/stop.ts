import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { serviceArg, withService } from '../../../cli/services.ts'

export default class ServiceStop extends AmuxCommand {
  static override summary = 'Stop a service: it stays stopped, also when the computer starts again.'
  static override examples = ['<%= config.bin %> <%= command.id %> web']
  static override args = { service: serviceArg }
  static override flags = computerFlags

  async execute(): Promise<number> {
    const { args, flags } = await this.parse(ServiceStop)
    return withService(this, flags, (services) => services.stop(args.service))
  }
}
