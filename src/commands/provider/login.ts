import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, ask } from '../../cli/index.ts'
import { type SettingValue, saveProvider } from '../../config/index.ts'
import { fail, normalise } from '../../errors/index.ts'

export default class ProviderLogin extends AmuxCommand {
  static override summary = 'Give a provider the settings and credentials it needs.'
  static override description = 'Asks on a terminal; otherwise reads one line of stdin for each setting, in the order of `provider info`. An empty line leaves one as it is. They are tried out before they are saved.'
  static override examples = ['<%= config.bin %> <%= command.id %> sprites', 'printf "%s\\n" "$TOKEN" | <%= config.bin %> <%= command.id %> sprites']
  static override args = { id: string({ ignoreStdin: true, description: 'The provider.', required: true }) }
  static override flags = { verify: boolean({ summary: 'Try them out before they are saved.', default: true, allowNo: true }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ProviderLogin)
    const { descriptor } = await this.amux.registry.find(args.id)
    const settings = this.amux.registry.settingsOf(descriptor)
    if (settings.length === 0) return this.out.note(`${descriptor.title} needs no settings.`)
    const answers = await ask(settings.map(({ key, summary, secret }) => ({ prompt: `${key} (${summary})`, secret })), this.signal)
    const values = settings.flatMap(({ key, secret }, index) => (answers[index] ? [{ key, secret, value: answers[index] }] : []))
    if (values.length === 0) throw fail('invalid_argument', 'nothing was given: nothing was changed')
    const message = flags.verify ? await this.#verified(descriptor.id, values) : undefined
    await saveProvider(descriptor.id, values)
    const saved = values.map(({ key }) => key)
    this.out.data({ provider: descriptor.id, saved, verified: flags.verify, ...(message !== undefined && { message }) }, () => {
      return [`Saved for ${descriptor.id}: ${saved.join(', ')}`, ...(message === undefined ? [] : [message])].join('\n')
    })
    const shadows = settings.flatMap(({ key, origin }) => (saved.includes(key) && origin !== undefined && !origin.endsWith('.json') ? [origin] : []))
    if (shadows.length > 0) this.out.note(`${shadows.join(', ')} is set here and goes before what was saved.`)
  }

  /** What the provider says of itself with them; an error when it does not take them. Nothing was saved then. */
  async #verified(id: string, values: readonly SettingValue[]): Promise<string> {
    this.out.progress(`Asking ${id}`)
    const unsaved = 'Nothing was saved. To save it all the same: --no-verify'
    try {
      const provider = await this.amux.registry.attempt(id, Object.fromEntries(values.map(({ key, value }) => [key, value])))
      const health = await provider.health()
      if (health.ok) return health.message
      throw fail(health.code ?? 'unavailable', health.message, { hint: health.hint, provider: id, source: 'provider' })
    } catch (error) {
      const { code, message, hint: own, ...rest } = normalise(error)
      throw fail(code, message, { ...rest, provider: id, cause: error, hint: [own, unsaved].filter(Boolean).join('\n') })
    }
  }
}
