import { AmuxCommand, computerArg, computerFlags, pick } from '../../cli/index.ts'
import { fail } from '../../errors/index.ts'

export default class Desktop extends AmuxCommand {
  static override summary = "Show a computer's screen."
  static override description = 'No provider that amux has so far gives a computer a screen. Where one does, `capabilities --compare` says so.'
  static override examples = ['<%= config.bin %> <%= command.id %>']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Desktop)
    const computer = await this.amux.computer(pick(flags, args.computer))
    const { fidelity, note, workaround } = (await computer.capabilities()).desktop
    const { providers } = await this.amux.registry.discover()
    const able = providers.filter(({ descriptor }) => (descriptor.capabilities.desktop?.fidelity ?? 'unavailable') !== 'unavailable').map(({ descriptor }) => descriptor.id)
    const others = able.length === 0 ? 'No provider that is installed has one.' : `Providers that have one: ${able.join(', ')}.`
    throw fail('unsupported', `${computer.name} has no desktop${fidelity === 'unavailable' && note !== undefined ? `: ${note}` : ''}`, { hint: workaround ?? others, provider: computer.provider, computer: computer.name })
  }
}
