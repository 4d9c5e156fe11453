import { boolean } from '@oclif/core/flags'
import type { ListeningPort } from '../../../contract/index.ts'
import { AmuxCommand, computerArg, computerFlags, pick } from '../../../cli/index.ts'
import { formatEnd } from '../../../ports/index.ts'

export default class PortLs extends AmuxCommand {
  static override summary = 'List what listens on a computer.'
  static override aliases = ['computer:port:list']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --watch --json']
  static override args = { computer: computerArg }
  static override flags = {
    ...computerFlags,
    watch: boolean({ summary: 'Go on, with a line for every port that opens or closes.' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(PortLs)
    const computer = await this.amux.computer(pick(flags, args.computer))
    if (flags.watch) {
      for await (const event of computer.ports.events({ signal: this.signal })) this.out.event(event, `${event.type}  ${line(event)}`)
      return
    }
    const { published = [] } = await computer.info()
    const at = (port: number) => published.filter(({ remote }) => remote === port).map(formatEnd).join(', ')
    this.out.table(
      (await computer.ports.list()).map((row) => ({ ...row, published: published.filter(({ remote }) => remote === row.port) })),
      { port: (row) => row.port, address: (row) => row.address, pid: (row) => row.pid || undefined, program: (row) => row.program, published: (row) => at(row.port) },
      { name: (row) => row.port, empty: `Nothing listens on ${computer.name}.` },
    )
  }
}

function line({ port, address, program }: ListeningPort): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}${program === '' ? '' : `  ${program}`}`
}
