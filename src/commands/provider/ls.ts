import { AmuxCommand } from '../../cli/index.ts'

export default class ProviderLs extends AmuxCommand {
  static override summary = 'List the providers, and the plugins that are broken.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async execute(): Promise<void> {
    await this.parse(ProviderLs)
    const { providers, broken } = await this.amux.registry.discover()
    const rows = [
      ...providers.map(({ descriptor, plugin }) => ({ id: descriptor.id, title: descriptor.title, plugin: plugin.name, version: plugin.version, bundled: plugin.bundled, ok: true, problem: '' })),
      ...broken.map(({ plugin, error }) => ({ id: '-', title: '', plugin: plugin.name, version: plugin.version, bundled: plugin.bundled, ok: false, problem: error.message })),
    ]
    this.out.table(rows, {
      id: (row) => row.id,
      title: (row) => row.title,
      plugin: (row) => (row.bundled ? 'built in' : row.plugin),
      version: (row) => row.version,
      problem: (row) => row.problem,
    })
  }
}
