import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { peer } from '../../../cli/network.ts'
import type { NetworkEvent } from '../../../contract/index.ts'

const width = 'connect'.length

export default class NetworkLog extends AmuxCommand {
  static override summary = "Print what a computer's network policy denied, and when it was changed."
  static override description = `Oldest first; the last few thousand are kept. "lookup": a name was refused. "connect": packets to an address were. "cut": a connection was, by a change. "policy": the change itself. What is allowed is not logged. The names come from programs on the computer.`
  static override examples = ['<%= config.bin %> <%= command.id %> --denied', '<%= config.bin %> <%= command.id %> -f --json']
  static override flags = {
    ...computerFlags,
    follow: boolean({ char: 'f', summary: 'Go on, with a line for everything that comes.' }),
    denied: boolean({ summary: 'Only what was refused.' }),
  }

  async execute(): Promise<void> {
    const { flags } = await this.parse(NetworkLog)
    const { follow, denied } = flags
    const { network } = await this.amux.computer(flags)
    for await (const event of network.log({ follow, denied, signal: this.signal })) this.out.event(event, line(event))
  }
}

function line(event: NetworkEvent): string {
  return [event.time, event.event.padEnd(width), peer(event), event.reason].filter(Boolean).join('  ')
}
