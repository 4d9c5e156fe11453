import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { formatPolicy, networkDefaults } from '../../../emulation/index.ts'

export default class NetworkShow extends AmuxCommand {
  static override summary = 'Show what a computer may talk to.'
  static override aliases = ['computer:network:info', 'computer:network:ls', 'computer:network:list']
  static override description = `Prints the policy, one rule a line, in the form that "set" reads; with --json as the document {"rules":[…]}, which it reads too. "open": there is no rule, and everything is allowed. With any rule, what none matches is denied; the most specific one that matches wins.`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> > policy.txt', '<%= config.bin %> <%= command.id %> --defaults']
  static override flags = { ...computerFlags, defaults: boolean({ summary: 'Show the list that "include defaults" stands for; needs no computer.' }) }

  async execute(): Promise<void> {
    const { flags } = await this.parse(NetworkShow)
    if (flags.defaults) return this.#defaults()
    const computer = await this.amux.computer(flags)
    const policy = await computer.network.get()
    const { details } = await computer.info()
    if (details?.['network'] === 'none') this.out.note(`${computer.name} was made without a network: it reaches nothing, whatever its policy.`)
    this.out.data(policy, () => formatPolicy(policy))
  }

  #defaults(): void {
    const rules = networkDefaults.flatMap(({ domains }) => domains).map((domain) => ({ domain, action: 'allow' }))
    const groups = networkDefaults.map(({ title, domains }) => [`# ${title}`, ...domains.map((domain) => `allow ${domain}`)].join('\n'))
    this.out.data({ rules }, () => groups.join('\n\n'))
  }
}
