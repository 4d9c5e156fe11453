import { AmuxCommand, type Columns, providerFlag } from '../../../cli/index.ts'
import type { TemplateInfo } from '../../../contract/index.ts'
import { formatBytes } from '../../../util/bytes.ts'

export default class TemplateLs extends AmuxCommand {
  static override summary = 'List the templates that amux made.'
  static override aliases = ['computer:template:list']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -P docker --json']
  static override flags = { provider: providerFlag }

  async execute(): Promise<void> {
    const { flags } = await this.parse(TemplateLs)
    const provider = await this.amux.registry.connect(await this.amux.providerId(flags.provider))
    this.out.table(await provider.templates().list(), columns, { name: ({ name }) => name, empty: 'amux made none there. Build one: amux computer template build' })
  }
}

const columns: Columns<TemplateInfo> = {
  name: ({ name }) => name,
  created: ({ createdAt }) => createdAt,
  size: ({ size }) => (size === undefined ? '' : formatBytes(size)),
  default: ({ isDefault }) => (isDefault ? 'yes' : ''),
}
