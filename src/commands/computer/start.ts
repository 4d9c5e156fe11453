import { AmuxCommand, computerArg, computerFlags, describeState, pick } from '../../cli/index.ts'

export default class Start extends AmuxCommand {
  static override summary = 'Start a stopped computer.'
  static override description = 'Commands that need it to run start it by themselves.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> amux-web-k3x9qd']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Start)
    const computer = await this.amux.computer(pick(flags, args.computer), { start: true })
    const info = await computer.info()
    this.out.data({ ...info, provider: computer.provider }, () => `${info.name} is ${describeState(info)}`)
  }
}
