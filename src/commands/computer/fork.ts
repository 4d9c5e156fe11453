import { string } from '@oclif/core/args'
import { string as text } from '@oclif/core/flags'
import { AmuxCommand, computerFlags, ownComputer } from '../../cli/index.ts'
import { forkComputer } from '../../project/index.ts'

export default class Fork extends AmuxCommand {
  static override summary = 'Make another computer like this one, with the same disk.'
  static override description = `It begins with what a checkpoint holds, or with the disk as it is now: system, home, and a copy of the project at the same path, so that two agents can work from one starting point without meeting. Image, options, environment, user and network are the same, too; sessions and checkpoints do not come along. The first computer goes on and stays the current one.`
  static override examples = ['<%= config.bin %> <%= command.id %> second-try', '<%= config.bin %> <%= command.id %> second-try --checkpoint v3']
  static override args = { name: string({ required: true, description: 'Name of the new computer.', ignoreStdin: true }) }
  static override flags = { ...computerFlags, checkpoint: text({ summary: 'What it begins with. Default: now.', helpValue: 'ID' }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Fork)
    const origin = await ownComputer(this.amux, flags)
    const backend = await this.amux.registry.connect(origin.provider)
    const { info, workspace, checkpoint, recorded } = await forkComputer(await this.amux.followed(), backend, origin, { name: args.name, checkpoint: flags.checkpoint }, {
      signal: this.signal,
      progress: (text) => this.out.progress(text),
      note: (text) => this.out.note(text),
    })
    const { name, ownWorkspace } = info
    this.out.note(`${name} begins as ${origin.name} was at ${checkpoint.id}.`)
    if (ownWorkspace) this.out.note(`Its ${workspace} is a copy: nothing that is done there shows here. To bring it here: amux computer sync pull -c ${name}`)
    this.out.note(recorded ? `Work on it: amux claude -c ${name}. To make it the current one: amux computer use ${name}` : `No project here has it; to give it to this one: amux computer use ${name} -P ${origin.provider}`)
    this.out.data({ ...info, provider: origin.provider, workspace, forkedFrom: { computer: origin.name, checkpoint: checkpoint.id } }, () => name)
  }
}
