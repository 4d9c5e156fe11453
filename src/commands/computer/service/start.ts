import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { serviceArg, withService } from '../../../cli/services.ts'

export default class ServiceStart extends AmuxCommand {
  static override summary = 'Start a service, and what it needs.'
  static override examples = ['<%= config.bin %> <%= command.id %> web']
  static override args = { service: serviceArg }
  static override flags = computerFlags

  async execute(): Promise<number> {
    const { args, flags } = await this.parse(ServiceStart)
    return withService(this, flags, (services) => services.start(args.service))
  }
}
