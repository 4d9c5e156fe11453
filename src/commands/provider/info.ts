import { string } from '@oclif/core/args'
import { AmuxCommand, table } from '../../cli/index.ts'
import type { Capability, CreateOptionSpec, Health, ProviderDescriptor } from '../../contract/index.ts'
import { providerDirectory } from '../../config/index.ts'
import { normalise } from '../../errors/index.ts'
import type { SettingState } from '../../registry/index.ts'

export default class ProviderInfo extends AmuxCommand {
  static override summary = 'Show what a provider can do and what it needs.'
  static override aliases = ['provider:show', 'provider:inspect']
  static override examples = ['<%= config.bin %> <%= command.id %> local', '<%= config.bin %> <%= command.id %> local --json']
  static override args = { id: string({ ignoreStdin: true, description: 'The provider.', required: true }) }

  async execute(): Promise<void> {
    const { args } = await this.parse(ProviderInfo)
    const { descriptor, plugin } = await this.amux.registry.find(args.id)
    const settings = this.amux.registry.settingsOf(descriptor)
    const { id, title, capabilities, createOptions = [] } = descriptor
    const { name, version, bundled } = plugin
    const health = await this.#health(id)
    const directory = providerDirectory(id)
    this.out.data({ id, title, plugin: { name, version, bundled }, health, directory, settings, createOptions, capabilities }, () =>
      [
        `${title} (${id}), ${bundled ? 'built in' : `${name} ${version}`}`,
        `${health.ok ? 'works' : 'does not work'}: ${health.message}`,
        ...(health.hint === undefined ? [] : [`  ${health.hint}`]),
        ...Object.entries(health.details ?? {}).map(([key, value]) => `${key}: ${value}`),
        `keeps its files in ${directory}`,
        ...section('Settings', settings.length > 0 && settingTable(settings)),
        ...section('Options of create', createOptions.length > 0 && optionTable(createOptions)),
        ...section('Capabilities', capabilityTable(capabilities)),
      ].join('\n'),
    )
  }

  /** A provider that cannot be asked is still worth showing. */
  async #health(id: string): Promise<Health> {
    try {
      return await (await this.amux.registry.connect(id)).health()
    } catch (error) {
      if (this.signal.aborted) throw error
      const { message, hint } = normalise(error)
      return { ok: false, message, ...(hint !== undefined && { hint }) }
    }
  }
}

function section(title: string, body: string | false): string[] {
  return body === false ? [] : ['', title, body]
}

function settingTable(settings: readonly SettingState[]): string {
  return table(settings, {
    key: (one) => one.key,
    set: (one) => one.origin ?? (one.required ? 'needed' : 'no'),
    variables: (one) => one.env.join(', '),
    meaning: (one) => one.summary,
  })
}

function optionTable(options: readonly CreateOptionSpec[]): string {
  return table(options, { flag: (one) => `-o ${one.name}=…`, type: (one) => one.type, meaning: (one) => one.summary })
}

function capabilityTable(capabilities: ProviderDescriptor['capabilities']): string {
  const rows = Object.entries(capabilities) as [string, Capability][]
  return table(rows, {
    capability: ([id]) => id,
    fidelity: ([, one]) => one.fidelity,
    note: ([, one]) => one.note,
    workaround: ([, one]) => one.workaround,
  })
}
