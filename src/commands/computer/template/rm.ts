import { string } from '@oclif/core/args'
import { AmuxCommand, providerFlag } from '../../../cli/index.ts'
import { fail } from '../../../errors/index.ts'

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
    const full = /:[^/]*$/.test(args.name) ? args.name : `${args.name}:latest`
    // Nothing is asked about what is not there.
    const found = (await templates.list()).find(({ name }) => name === args.name || name === full)
    if (found === undefined) throw fail('not_found', `there is no template ${args.name}`, { hint: 'See which there are: amux computer template ls', provider: provider.id })
    await this.confirm(`Delete template ${found.name}?`)
    await templates.remove(found.name)
    this.out.data({ removed: found.name, provider: provider.id }, () => found.name)
  }
}
