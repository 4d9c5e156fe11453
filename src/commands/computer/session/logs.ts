import { string } from '@oclif/core/args'
import { boolean, integer, option } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { LogPrinter } from '../../../cli/verbs/index.ts'
import { fail } from '../../../errors/index.ts'

export default class ComputerSessionLogs extends AmuxCommand {
  static override summary = 'Print what a session has said.'
  static override description = `The last 16 MiB of each stream are kept. What the program wrote to standard error is printed there. A foreground exec without a terminal is logged only from the moment its client was lost.

With --json: one line for each piece, with its absolute offset, as text or, where it is none, as base64.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> build',
    '<%= config.bin %> <%= command.id %> build -f --tail 100',
    '<%= config.bin %> <%= command.id %> build --stream stdout --from 1048576',
  ]
  static override args = { session: string({ ignoreStdin: true, description: 'Name or id of a session.', required: true }) }
  static override flags = {
    ...computerFlags,
    follow: boolean({ char: 'f', summary: 'Go on until the session ends.' }),
    tail: integer({ summary: 'Only the last so many lines.', helpValue: 'LINES', min: 0, exclusive: ['from'] }),
    stream: option({ options: ['both', 'stdout', 'stderr'] as const, default: 'both' as const, summary: 'Only one stream.' })(),
    from: integer({ summary: 'Begin at this byte of the stream.', helpValue: 'OFFSET', min: 0 }),
  }

  async execute(): Promise<void> {
    const { flags, args } = await this.parse(ComputerSessionLogs)
    const { follow, tail, stream, from } = flags
    if (from !== undefined && stream === 'both') {
      throw fail('invalid_argument', '--from counts the bytes of one stream', { hint: 'Say which: --stream stdout, or --stream stderr.' })
    }
    const { sessions } = await this.amux.computer(flags)
    const printer = new LogPrinter({
      json: this.out.json,
      say: (text) => this.out.say(text),
      event: (document) => this.out.event(document, ''),
      ...(tail === undefined && { from: from ?? 0 }),
    })
    const range = { ...(tail !== undefined && { tail }), ...(from !== undefined && { from }) }
    for await (const chunk of sessions.logs(args.session, { stream, follow, signal: this.signal, ...range })) {
      if (!(await printer.print(chunk))) return
    }
  }
}
