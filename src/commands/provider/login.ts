import { string } from '@oclif/core/args'
import { AmuxCommand, ask } from '../../cli/index.ts'
import { saveProvider } from '../../config/index.ts'
import { fail } from '../../errors/index.ts'

export default class ProviderLogin extends AmuxCommand {
  static override summary = 'Give a provider the settings and credentials it needs.'
  static override description = 'Asks on a terminal; otherwise reads one line of stdin for each setting, in the order of `provider info`. An empty line leaves one as it is.'
  static override examples = ['<%= config.bin %> <%= command.id %> sprites', 'printf "%s\\n" "$TOKEN" | <%= config.bin %> <%= command.id %> sprites']
  static override args = { id: string({ ignoreStdin: true, description: 'The provider.', required: true }) }

  async execute(): Promise<void> {
    const { args } = await this.parse(ProviderLogin)
    const { descriptor } = await this.amux.registry.find(args.id)
    const settings = this.amux.registry.settingsOf(descriptor)
    if (settings.length === 0) return this.out.note(`${descriptor.title} needs no settings.`)
    const answers = await ask(settings.map(({ key, summary, secret }) => ({ prompt: `${key} (${summary})`, secret })), this.signal)
    const values = settings.flatMap(({ key, secret }, index) => (answers[index] ? [{ key, secret, value: answers[index] }] : []))
    if (values.length === 0) throw fail('invalid_argument', 'nothing was given: nothing was changed')
    await saveProvider(descriptor.id, values)
    this.out.data({ provider: descriptor.id, saved: values.map(({ key }) => key) }, () => `Saved for ${descriptor.id}: ${values.map(({ key }) => key).join(', ')}`)
  }
}
