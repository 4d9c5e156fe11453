import { boolean, integer } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { serviceArg } from '../../../cli/services.ts'
import { LogPrinter } from '../../../cli/verbs/index.ts'

export default class ServiceLogs extends AmuxCommand {
  static override summary = 'Print what a service has said, over all its starts.'
  static override description = 'What the program wrote to standard error is printed there. With --json: one line for each piece, with its absolute offset.'
  static override examples = ['<%= config.bin %> <%= command.id %> web', '<%= config.bin %> <%= command.id %> web -f --tail 100']
  static override args = { service: serviceArg }
  static override flags = {
    ...computerFlags,
    follow: boolean({ char: 'f', summary: 'Go on with what it says next.' }),
    tail: integer({ summary: 'Only the last so many lines.', helpValue: 'LINES', min: 0 }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ServiceLogs)
    const { follow, tail } = flags
    const { services } = await this.amux.computer(flags)
    const printer = new LogPrinter({ json: this.out.json, say: (text) => this.out.say(text), event: (document) => this.out.event(document, '') })
    for await (const chunk of services.logs(args.service, { follow, signal: this.signal, ...(tail !== undefined && { tail }) })) {
      if (!(await printer.print(chunk))) return
    }
  }
}
