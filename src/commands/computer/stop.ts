import { AmuxCommand, computerArg, computerFlags, describeState, ownComputer, pick } from '../../cli/index.ts'

export default class Stop extends AmuxCommand {
  static override summary = 'Stop a computer: ends its programs, keeps its disk.'
  static override destructive = true
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> amux-web-k3x9qd']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Stop)
    const computer = await ownComputer(this.amux, pick(flags, args.computer))
    this.out.progress(`Stopping ${computer.name}`)
    await computer.stop({ signal: this.signal })
    const info = await computer.info()
    this.out.data({ ...info, provider: computer.provider }, () => `${info.name} is ${describeState(info)}`)
  }
}
