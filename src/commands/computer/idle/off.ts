import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { setIdleStop } from '../../../cli/idle.ts'

export default class IdleOff extends AmuxCommand {
  static override summary = 'Let a computer run until it is stopped.'
  static override examples = ['<%= config.bin %> <%= command.id %>']
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { flags } = await this.parse(IdleOff)
    await setIdleStop(this, flags, undefined)
  }
}
