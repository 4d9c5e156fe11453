import { AmuxCommand, computerArg, computerFlags, describeState, ownComputer, pick } from '../../cli/index.ts'
import { noteWorkspace, startOptions } from '../../project/index.ts'

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
    this.out.progress(`Restarting ${computer.name}`)
    const store = await this.amux.followed()
    await computer.restart({ ...(store && startOptions(store, computer)), signal: this.signal })
    const info = await computer.info()
    if (store) await noteWorkspace(store, computer.provider, info)
    this.out.data({ ...info, provider: computer.provider }, () => `${info.name} is ${describeState(info)}`)
  }
}
