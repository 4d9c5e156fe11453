import { AmuxCommand, computerArg, computerFlags, describeState, ownComputer, pick, wakeComputer } from '../../cli/index.ts'

export default class Restart extends AmuxCommand {
  static override summary = 'Stop a computer and start it again.'
  static override destructive = true
  static override examples = ['<%= config.bin %> <%= command.id %>']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Restart)
    const wanted = pick(flags, args.computer)
    const computer = await ownComputer(this.amux, wanted)
    this.out.progress(`Stopping ${computer.name}`)
    await computer.stop({ signal: this.signal })
    await wakeComputer(this.amux, computer)
    const info = await computer.info()
    this.out.data({ ...info, provider: computer.provider }, () => `${info.name} is ${describeState(info)}`)
  }
}
