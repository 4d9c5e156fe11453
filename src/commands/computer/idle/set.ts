import { custom } from '@oclif/core/args'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { setIdleStop } from '../../../cli/idle.ts'
import { parseDuration } from '../../../util/duration.ts'

const after = custom<number>({ required: true, description: 'Time without use: 30m, 2h, or plain seconds.', ignoreStdin: true, parse: async (text) => parseDuration(text) })

export default class IdleSet extends AmuxCommand {
  static override summary = 'Have a computer stop by itself once nothing has used it for that long.'
  static override description = `It keeps its disk, and the next command that needs it starts it again. It is used while somebody is attached or connected, while a program on it uses the processor or a session has output or input, and while a connection from outside is open to what listens there. A service that only listens does not keep it up, nor does a program that only waits.`
  static override examples = ['<%= config.bin %> <%= command.id %> 30m', '<%= config.bin %> <%= command.id %> 2h -c amux-web-k3x9qd']
  static override args = { after: after() }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(IdleSet)
    await setIdleStop(this, flags, args.after)
  }
}
