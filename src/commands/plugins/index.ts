import { AmuxCommand } from '../../cli/index.ts'
import { pluginList } from '../../cli/plugins/list.ts'

export default class Plugins extends AmuxCommand {
  static override summary = 'List the plugins you installed, and which of them are broken.'
  static override description = 'What is part of amux itself is not listed: amux provider ls shows every provider.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async execute(): Promise<void> {
    await this.parse(Plugins)
    this.out.table(
      await pluginList(this.amux.root),
      {
        name: (row) => row.name,
        version: (row) => row.version,
        providers: (row) => row.providers.join(', '),
        commands: (row) => row.commands || undefined,
        from: (row) => row.from,
        problem: (row) => row.problem,
      },
      { name: (row) => row.name, empty: 'No plugins are installed. Install one: amux plugins install NAME, or ./FILE.tgz' },
    )
  }
}
