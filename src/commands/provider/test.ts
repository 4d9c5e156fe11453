import { string } from '@oclif/core/args'
import { AmuxCommand } from '../../cli/index.ts'
import { fail } from '../../errors/index.ts'

export default class ProviderTest extends AmuxCommand {
  static override summary = 'Ask a provider whether it works, with the settings it has.'
  static override description = 'Changes nothing there. Exit status 0 if it does; else the one that tells why.'
  static override examples = ['<%= config.bin %> <%= command.id %> local', '<%= config.bin %> <%= command.id %> sprites --json']
  static override args = { id: string({ ignoreStdin: true, description: 'The provider.', required: true }) }

  async execute(): Promise<void> {
    const { args } = await this.parse(ProviderTest)
    const started = performance.now()
    const provider = await this.amux.registry.connect(args.id)
    const { ok, code = 'unavailable', message, hint, details = {} } = await provider.health()
    if (!ok) throw fail(code, message, { hint, provider: args.id, source: 'provider' })
    const took = Math.round(performance.now() - started)
    this.out.data({ provider: args.id, ok, message, details, milliseconds: took }, () =>
      [`${args.id} works: ${message}`, ...Object.entries(details).map(([key, value]) => `${key}: ${value}`), `answered in ${took} ms`].join('\n'),
    )
  }
}
