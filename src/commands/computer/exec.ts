import { AmuxCommand } from '../../cli/index.ts'
import { exec, execTable, globalTable, oclifFlags, ownLength, programWords, verbHost } from '../../cli/verbs/index.ts'

export default class ComputerExec extends AmuxCommand {
  static override summary = 'Run a program on a computer.'
  static override aliases = ['computer:x']
  static override description = `The program's input, output and exit status are yours. It gets a terminal when you have one at both ends; -t and --no-tty decide otherwise. Words after -- are its exact arguments; without --, everything from the first word that is no flag.

Ctrl-\\ leaves it running. Without a terminal of its own, Ctrl-C is passed to it, and a second one within two seconds leaves it running. A closed terminal or a lost connection leaves it running, too. A time limit ends it.

Exit status: the program's own, 128 and the number of the signal that ended it, 126 not executable, 127 not found, 124 time limit, 130 interrupted, 125 a failure of amux itself.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> -- npm test',
    '<%= config.bin %> <%= command.id %> --shell -- "cd src && ls | wc -l"',
    'tar c . | <%= config.bin %> <%= command.id %> -- tar x -C /tmp',
    '<%= config.bin %> <%= command.id %> -d --name build -- make -j4',
  ]
  static override usage = 'computer exec [FLAGS] [--] PROGRAM [ARGS]'
  static override flags = oclifFlags(execTable, globalTable)
  static override strict = false
  static override passThrough = true

  async execute(): Promise<number> {
    const own = ownLength(execTable, this.argv)
    const words = programWords(this.remote, this.argv.slice(own))
    const { flags } = await this.parse(ComputerExec, this.argv.slice(0, own))
    return exec(flags, words, await verbHost(this, flags))
  }
}
