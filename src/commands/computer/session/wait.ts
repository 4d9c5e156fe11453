import { string } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { stateOf } from '../../../cli/verbs/index.ts'
import { fail } from '../../../errors/index.ts'
import { exitCode, statusOf } from '../../../terminal/index.ts'

export default class ComputerSessionWait extends AmuxCommand {
  static override summary = "Wait until a session has ended; its exit status is this command's."
  static override examples = ['<%= config.bin %> <%= command.id %> build && echo built', '<%= config.bin %> <%= command.id %> build --timeout 10m']
  static override args = { session: string({ ignoreStdin: true, description: 'Name or id of a session.', required: true }) }
  static override flags = { ...computerFlags }
  static override passThrough = true

  async execute(): Promise<number> {
    const { flags, args } = await this.parse(ComputerSessionWait)
    const computer = await this.amux.computer(flags)
    const session = await computer.sessions.wait(args.session, { signal: this.signal })
    if (this.out.json) this.out.data(session, () => '')
    const status = statusOf(session.state)
    if (status !== undefined) return exitCode(status)
    throw fail('failed', `session ${session.id} ended without a status of its own (${stateOf(session)})`, {
      hint: `What it said: amux computer session logs ${session.id} -c ${computer.name}`,
    })
  }
}
