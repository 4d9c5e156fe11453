import type { ComputerInfo, EquippedComputer, IdleState } from '../../../contract/index.ts'
import { AmuxCommand, computerArg, computerFlags, describeState, pick } from '../../../cli/index.ts'
import { describeIdle, describeIdleStop } from '../../../cli/idle.ts'
import { hasCode } from '../../../errors/index.ts'

export default class IdleShow extends AmuxCommand {
  static override summary = 'Show whether a computer stops by itself, and what it does at the moment.'
  static override aliases = ['computer:idle:info']
  static override description = 'Changes nothing: a stopped computer is not started, and to look is not to use. With --json, "after" is in milliseconds, null for never.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(IdleShow)
    const computer = await this.amux.computer(pick(flags, args.computer))
    const { name, provider } = computer
    const after = await computer.idleStop.get()
    const { info, idle } = await look(computer)
    const now = idle === undefined ? `is ${describeState(info)}` : `is ${describeIdle(idle)}`
    this.out.data({ computer: name, provider, state: info.state, after: after ?? null, ...(info.because !== undefined && { because: info.because }), ...(idle && { idle }) }, () => `${name} ${describeIdleStop(after)}\nIt ${now}`)
  }
}

/** It may stop while it is asked. */
async function look(computer: EquippedComputer): Promise<{ readonly info: ComputerInfo; readonly idle?: IdleState }> {
  const info = await computer.info()
  if (info.state !== 'running') return { info }
  try {
    return { info, idle: await computer.idle() }
  } catch (error) {
    if (!hasCode(error, 'not_running')) throw error
    return { info: await computer.info() }
  }
}
