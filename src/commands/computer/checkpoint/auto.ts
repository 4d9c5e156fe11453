import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { fail } from '../../../errors/index.ts'
import { locate, setAuto } from '../../../project/index.ts'

export default class CheckpointAuto extends AmuxCommand {
  static override summary = 'Choose when checkpoints of this project\'s computer are made by themselves.'
  static override description = `"before-run": before each agent or program that "run" starts. "off": never (default). Without either it says which. Automatic ones are pruned: ten are kept, none longer than 14 days.`
  static override examples = ['<%= config.bin %> <%= command.id %> before-run', '<%= config.bin %> <%= command.id %> off']
  static override args = { when: string({ options: ['before-run', 'off'], description: 'before-run or off.', ignoreStdin: true }) }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointAuto)
    const computer = await this.amux.computer(flags)
    const store = await this.amux.store()
    const located = locate(store.read(), { computer: computer.name, provider: computer.provider })
    if (!located) throw fail('conflict', `${computer.name} is none of this project's computers`, { hint: `Give it to this project first: amux computer use ${computer.name}` })
    if (args.when !== undefined) await setAuto(store, located, args.when === 'off' ? undefined : 'before-run')
    const auto = args.when ?? located.auto ?? 'off'
    this.out.data({ computer: computer.name, provider: computer.provider, auto }, () => auto)
  }
}
