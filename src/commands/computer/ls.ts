import { boolean, string } from '@oclif/core/flags'
import { AmuxCommand } from '../../cli/index.ts'
import { describe } from '../../cli/failure.ts'
import { codes } from '../../errors/index.ts'
import { formatAgo } from '../../util/duration.ts'
import { type ProjectRecord, listComputers } from '../../project/index.ts'

export default class Ls extends AmuxCommand {
  static override summary = 'List the computers that amux made, on every provider.'
  static override aliases = ['computer:list']
  static override description = "A star marks this project's current computer."
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --project', '<%= config.bin %> <%= command.id %> -P local --json']
  static override flags = {
    provider: string({ char: 'P', summary: 'Only those on this provider.', helpValue: 'ID' }),
    project: boolean({ summary: "Only this project's." }),
  }

  async execute(): Promise<number> {
    const { flags } = await this.parse(Ls)
    const { record } = this.amux.look()
    const asked = flags.provider === undefined ? undefined : [flags.provider]
    const ids = asked ?? (await this.#providers(record))
    const { rows, failures } = await listComputers(record, ids, {
      connect: (id) => this.amux.registry.connect(id),
      onlyProject: flags.project,
    })
    if (asked && failures[0]) throw failures[0].error
    this.out.table(
      rows,
      {
        '': (row) => (row.current ? '*' : ''),
        name: (row) => row.name,
        provider: (row) => row.provider,
        state: (row) => row.state,
        project: (row) => row.project,
        created: (row) => row.createdAt && formatAgo(row.createdAt),
      },
      { name: (row) => row.name, empty: 'No computers. Make one: amux computer create -P PROVIDER' },
    )
    // A provider nobody logged in to has no computers to show.
    const told = failures.filter(({ error }) => error.code !== 'credential_missing')
    for (const { error } of told) this.out.say(describe(error))
    return told[0] ? codes[told[0].error.code].exit : 0
  }

  /** All that are installed, and those whose plugin is gone while the project has computers there. */
  async #providers(record: ProjectRecord | undefined): Promise<readonly string[]> {
    const { providers } = await this.amux.registry.discover()
    const recorded = Object.entries(record?.providers ?? {}).filter(([, { computers, pending }]) => pending !== undefined || Object.keys(computers).length > 0)
    return [...new Set([...providers.map(({ descriptor }) => descriptor.id), ...recorded.map(([id]) => id)])]
  }
}
