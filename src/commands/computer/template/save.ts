import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'

export default class TemplateSave extends AmuxCommand {
  static override summary = "Keep a computer's system as a template for new ones."
  static override description = 'What is installed on it is kept. Homes, the project and the variables given with "create -e" are not.'
  static override examples = ['<%= config.bin %> <%= command.id %> mine', '<%= config.bin %> <%= command.id %> mine --replace -c amux-web-1']
  static override args = { name: string({ ignoreStdin: true, description: 'What to call it.', required: true }) }
  static override flags = { ...computerFlags, replace: boolean({ summary: 'Replace one of that name.' }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(TemplateSave)
    const computer = await this.amux.computer(flags)
    const provider = await this.amux.registry.connect(computer.provider)
    const made = await provider.templates().save(computer.name, args.name, { replace: flags.replace, signal: this.signal })
    this.out.data({ ...made, computer: computer.name, provider: provider.id }, () => made.name)
  }
}
