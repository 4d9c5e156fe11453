import { type Agent, findAgent } from '../../agents/index.ts'
import { fail, hasCode } from '../../errors/index.ts'
import { AmuxCommand } from '../base.ts'
import { translate } from '../usage.ts'
import { oclifFlags } from './oclif.ts'
import { run } from './run.ts'
import { runHost } from './run-host.ts'
import { globalTable, runTable } from './tables.ts'

type Flags = ReturnType<typeof oclifFlags<typeof runTable, keyof typeof globalTable>>

/** The shortcut `amux <agent>`: `amux computer run <agent>`. */
export function agentCommand(id: string): typeof AmuxCommand {
  const agent = findAgent(id)
  if (agent) return shortcut(agent)
  throw fail('internal', `there is no agent ${id}`)
}

function shortcut(agent: Agent): typeof AmuxCommand {
  return class Shortcut extends AmuxCommand {
    static override summary = `Run ${agent.title} on this project's computer.`
    static override description = `Makes the computer if the project has none and a provider is chosen, installs ${agent.title} from npm if it is missing, and runs it in a session that outlives this terminal. Ctrl-\\ leaves it running; the same command goes back to it. What follows -- goes to ${agent.command} exactly as typed.`
    static override examples = ['<%= config.bin %> <%= command.id %>', `<%= config.bin %> <%= command.id %> -- ${sample(agent)}`, '<%= config.bin %> <%= command.id %> --new', ...byKey(agent)]
    static override usage = `${agent.id} [FLAGS] [-- ARGS]`
    static override flags: Flags = oclifFlags(runTable, globalTable)
    static override passThrough = true

    async execute(): Promise<number> {
      const { flags } = await this.parse(Shortcut).catch((error: unknown) => {
        throw meantForIt(error, agent)
      })
      return run(flags, agent.id, this.remote ?? [], await runHost(this, flags))
    }
  }
}

function sample({ id, command }: Agent): string {
  return id === 'claude' ? '-p "What does this project do?"' : `${command === 'codex' ? 'exec "What does this project do?"' : '--version'}`
}

function byKey({ credentials: [variable] }: Agent): string[] {
  return variable === undefined ? [] : [`<%= config.bin %> <%= command.id %> -e ${variable}`]
}

/** `amux claude -p x`: most likely meant for the agent. */
function meantForIt(error: unknown, { id, title }: Agent): unknown {
  const ours = translate(error, { command: `amux ${id}`, flags: [] })
  if (!hasCode(ours, 'invalid_argument')) return error
  return fail('invalid_argument', ours.message, { hint: `What is meant for ${title} goes behind --: amux ${id} -- ARGS. See: amux ${id} --help` })
}
