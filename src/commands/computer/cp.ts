import { string } from '@oclif/core/args'
import { AmuxCommand, placeOn } from '../../cli/index.ts'
import { copy, copyOf, copyTable, globalTable, oclifFlags } from '../../cli/verbs/index.ts'

export default class Cp extends AmuxCommand {
  static override summary = 'Copy files and directories to or from a computer.'
  static override description = `COMPUTER:PATH is on a computer, :PATH on this project's. There, a relative path begins in the directory you stand in, as for "exec", and ~ is the home directory. Into an existing directory things are copied under their name; DIRECTORY/. copies what is in it. "-" is a tar stream on standard input or output. Links are copied as links and never followed, but a link on the computer that is named itself gives the file it leads to; setuid bits are taken off. Sockets, pipes and devices in a directory are left out, and of one on a computer names that are no UTF-8; a pipe or a device that is named itself is read or written, never replaced.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./dump.sql :/tmp/',
    '<%= config.bin %> <%= command.id %> :build/report.html .',
    'tar c src | <%= config.bin %> <%= command.id %> - :~/copy',
    '<%= config.bin %> <%= command.id %> :/etc - | tar t',
  ]
  static override args = {
    source: string({ required: true, description: 'PATH, COMPUTER:PATH, :PATH, or - for a tar stream.', ignoreStdin: true }),
    target: string({ required: true, description: 'The same.', ignoreStdin: true }),
  }
  static override flags = oclifFlags(copyTable, globalTable)

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Cp)
    const what = copyOf(args.source, args.target)
    const sides = await this.amux.computer({ computer: what.computer ?? flags.computer, provider: flags.provider }, { start: true })
    const { out, signal } = this
    await copy(what, {
      sides,
      place: () => placeOn(this.amux, sides),
      signal,
      json: out.json,
      say: (text) => out.say(text),
      progress: (text) => out.progress(text),
      print: (document, text) => out.data(document, text),
      bytes: (chunk) => out.bytes(chunk),
    })
  }
}
