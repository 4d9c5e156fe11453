import type { EquippedComputer } from '../../../contract/index.ts'
import { fail, isAmuxError } from '../../../errors/index.ts'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { serviceArg } from '../../../cli/services.ts'

export default class ServiceRm extends AmuxCommand {
  static override summary = 'End a service and forget it.'
  static override aliases = ['computer:service:delete', 'computer:service:destroy']
  static override examples = ['<%= config.bin %> <%= command.id %> web', '<%= config.bin %> <%= command.id %> web --yes']
  static override args = { service: serviceArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ServiceRm)
    const computer = await this.amux.computer(flags, { start: true })
    const { name } = await computer.services.get(args.service)
    await this.confirm(`End service ${name} on ${computer.name} and forget it?`)
    await computer.services.remove(name).catch(async (error: unknown) => {
      throw await this.#hinted(computer, name, error)
    })
    this.out.data({ removed: name, computer: computer.name, provider: computer.provider }, () => name)
  }

  /** Another one may need it. */
  async #hinted({ services, provider, name: computer }: EquippedComputer, name: string, error: unknown): Promise<unknown> {
    if (!isAmuxError(error) || error.code !== 'conflict' || error.hint !== undefined) return error
    const others = (await services.list().catch(() => [])).filter(({ needs = [] }) => needs.includes(name)).map((service) => service.name)
    if (others.length === 0) return error
    return fail('conflict', error.message, { hint: `Remove first what needs it: amux computer service rm ${others[0]}. Or change what that needs: amux computer service create ${others[0]} -- PROGRAM ARGS`, provider, computer, cause: error })
  }
}
