import { string } from '@oclif/core/args'
import { AmuxCommand, providerFlag } from '../../../cli/index.ts'

export default class TemplateRm extends AmuxCommand {
  static override summary = 'Delete a template. Computers that started from it go on.'
  static override aliases = ['computer:template:delete']
  static override destructive = true
  static override examples = ['<%= config.bin %> <%= command.id %> mine:latest']
  static override args = { name: string({ ignoreStdin: true, description: 'The template.', required: true }) }
  static override flags = { provider: providerFlag }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(TemplateRm)
    const provider = await this.amux.registry.connect(await this.amux.providerId(flags.provider))
    const templates = provider.templates()
    // Nothing is asked about what is not there.
    const { name } = await templates.get(args.name)
    await this.confirm(`Delete template ${name}?`)
    await templates.remove(name)
    this.out.data({ removed: name, provider: provider.id }, () => name)
  }
}
