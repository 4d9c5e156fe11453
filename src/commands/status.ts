import { AmuxCommand } from '../cli/index.ts'
import { commandLine } from '../cli/verbs/session.ts'
import { type ProjectStatus, projectStatus } from '../cli/status.ts'

export default class Status extends AmuxCommand {
  static override summary = 'Show this project: its provider, its computer, what runs there.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async execute(): Promise<void> {
    await this.parse(Status)
    const status = await projectStatus(this.amux)
    this.out.data(status, () => render(status))
  }
}

function render({ project, untrusted, provider, computer, unfinished }: ProjectStatus): string {
  const lines = [
    `Project    ${project.name} (${project.path})`,
    `Provider   ${provider ? `${provider.id} (chosen by ${provider.chosenBy})` : 'none chosen yet: amux computer create -P ID'}`,
  ]
  if (untrusted) return [...lines, `Record     not followed: ${untrusted.problem}`, `           ${untrusted.hint ?? ''}`].join('\n')
  if (!computer) return [...lines, `Computer   ${unfinished === undefined ? 'none yet' : `${unfinished} was never finished`}: amux computer create`].join('\n')
  const { name, state, problem, sessions } = computer
  lines.push(`Computer   ${name}, ${state}${problem === undefined ? '' : `: ${problem}`}`)
  if (sessions) lines.push(`Sessions   ${sessions.length === 0 ? 'none' : sessions.map((session) => `${session.id} (${session.name ?? commandLine(session)})`).join(', ')}`)
  return lines.join('\n')
}
