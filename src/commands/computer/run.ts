import { string } from '@oclif/core/args'
import { AmuxCommand } from '../../cli/index.ts'
import { fail } from '../../errors/index.ts'
import { globalTable, oclifFlags, run, runHost, runTable } from '../../cli/verbs/index.ts'

export default class ComputerRun extends AmuxCommand {
  static override summary = "Run an agent, or any program, in a session on this project's computer."
  static override description = `Makes the computer if the project has none and a provider is chosen. An agent is installed from npm when it is missing; while one runs detached, you go back to it. What follows -- goes to the program exactly as typed.`
  static override examples = ['<%= config.bin %> <%= command.id %> claude', '<%= config.bin %> <%= command.id %> codex --new', '<%= config.bin %> <%= command.id %> npm -- run dev']
  static override usage = 'computer run AGENT|PROGRAM [FLAGS] [-- ARGS]'
  static override args = { program: string({ description: 'claude, codex, opencode, amp, gemini, droid, or a program.', ignoreStdin: true }) }
  static override flags = oclifFlags(runTable, globalTable)
  static override passThrough = true

  async execute(): Promise<number> {
    const { args, flags } = await this.parse(ComputerRun)
    const [program, ...words] = args.program === undefined ? (this.remote ?? []) : [args.program, ...(this.remote ?? [])]
    if (program === undefined) throw fail('invalid_argument', 'which agent, or program?', { hint: 'amux computer run claude, or amux computer run PROGRAM -- ARGS' })
    return run(flags, program, words, await runHost(this, flags))
  }
}
