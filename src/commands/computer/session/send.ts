import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { fail } from '../../../errors/index.ts'

export default class ComputerSessionSend extends AmuxCommand {
  static override summary = 'Type into a session.'
  static override description = 'The text exactly as given, or standard input. A session that somebody is attached to gets it as well.'
  static override examples = [
    "<%= config.bin %> <%= command.id %> build 'make test' --enter",
    '<%= config.bin %> <%= command.id %> filter --eof < data.bin',
  ]
  static override args = {
    session: string({ ignoreStdin: true, description: 'Name or id of a session.', required: true }),
    text: string({ ignoreStdin: true, description: 'What to type. Default: standard input.' }),
  }
  static override flags = {
    ...computerFlags,
    enter: boolean({ summary: 'Press Enter afterwards.' }),
    eof: boolean({ summary: 'End its input afterwards; a terminal gets Ctrl-D.' }),
  }

  async execute(): Promise<void> {
    const { flags, args } = await this.parse(ComputerSessionSend)
    const text = args.text ?? this.remote?.join(' ')
    const keysOnly = text === undefined && (flags.enter || flags.eof) && process.stdin.isTTY
    if (text === undefined && !keysOnly && process.stdin.isTTY) {
      throw fail('invalid_argument', 'what shall be typed?', { hint: "amux computer session send SESSION 'TEXT' --enter" })
    }
    const { sessions } = await this.amux.computer(flags)
    const { id, tty } = await sessions.get(args.session)
    if (text === undefined && !keysOnly) await sessions.send(id, process.stdin)
    const enter = flags.enter ? (tty ? '\r' : '\n') : ''
    const rest = `${text ?? ''}${enter}`
    if (rest !== '' || flags.eof) await sessions.send(id, Buffer.from(rest), { eof: flags.eof })
    if (this.out.json) this.out.data({ session: id }, () => '')
  }
}
