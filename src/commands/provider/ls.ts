import { AmuxCommand } from '../../cli/index.ts'
import type { BrokenPlugin, FoundProvider, PluginRef } from '../../registry/index.ts'

export default class ProviderLs extends AmuxCommand {
  static override summary = 'List the providers, and the plugins that are broken.'
  static override aliases = ['provider:list']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async execute(): Promise<void> {
    await this.parse(ProviderLs)
    const { providers, broken } = await this.amux.registry.discover()
    this.out.table([...providers.map(sound), ...broken.map(unsound)], {
      id: (row) => row.id ?? '-',
      title: (row) => row.title,
      plugin: (row) => (row.bundled ? 'built in' : row.plugin),
      version: (row) => row.version,
      problem: (row) => row.problem,
    }, { name: (row) => row.id })
    for (const { plugin, error } of broken) this.out.note(`${plugin.name}: ${error.hint ?? 'broken'}`)
  }
}

interface Row extends Pick<PluginRef, 'version' | 'bundled'> {
  readonly plugin: string
  readonly ok: boolean
  readonly id?: string
  readonly title?: string
  readonly problem?: string
}

function sound({ descriptor: { id, title }, plugin }: FoundProvider): Row {
  return { id, title, ...about(plugin), ok: true }
}

function unsound({ plugin, error }: BrokenPlugin): Row {
  return { ...about(plugin), ok: false, problem: error.message }
}

function about({ name, version, bundled }: PluginRef): Pick<Row, 'plugin' | 'version' | 'bundled'> {
  return { plugin: name, version, bundled }
}
