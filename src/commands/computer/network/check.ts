import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { judgeHost, parseTarget } from '../../../emulation/index.ts'

const DENIED = 1

export default class NetworkCheck extends AmuxCommand {
  static override summary = 'Say whether a computer may talk to a host, and by which rule.'
  static override description = `Judges by the policy alone: nothing is looked up, and no connection is made. The exit status is 0 when it is allowed and 1 when it is denied; it is never 0 when that could not be told. A policy is about domains, so the port makes no difference. An address is denied under any policy, though it can be reached while an allowed name leads to it.`
  static override examples = ['<%= config.bin %> <%= command.id %> api.example.com', '<%= config.bin %> <%= command.id %> https://example.com/path', 'if <%= config.bin %> <%= command.id %> -q example.com; then echo allowed; fi']
  static override args = { host: string({ required: true, ignoreStdin: true, description: 'Name or address, with or without a port; a URL will do.' }) }
  static override flags = computerFlags

  async execute(): Promise<number> {
    const { args, flags } = await this.parse(NetworkCheck)
    const { host, port } = parseTarget(args.host)
    const { network } = await this.amux.computer(flags)
    const verdict = judgeHost(await network.get(), host)
    const allowed = verdict.action === 'allow'
    this.out.data({ ...verdict, allowed, port }, () => `${verdict.host} is ${allowed ? 'allowed' : 'denied'}: ${verdict.reason}`)
    return allowed ? 0 : DENIED
  }
}
