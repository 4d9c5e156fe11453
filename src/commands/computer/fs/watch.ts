import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { pathArg, reach, recursiveFlag } from '../../../cli/files.ts'

const signs = { create: '+', write: '~', remove: '-', rename: '>', chmod: '%' } as const

export default class FsWatch extends AmuxCommand {
  static override summary = 'Print what happens to files on a computer, as it happens.'
  static override description = '"+" was made, "~" written, "-" removed, ">" put in the place of another, "%" got other permissions. With --json: one line for each, and {"event":"missed"} where the connection broke meanwhile. Goes on until interrupted.'
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> src -r', '<%= config.bin %> <%= command.id %> /var/log --json']
  static override args = { path: pathArg }
  static override flags = { ...computerFlags, recursive: recursiveFlag }

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(FsWatch)
    const { computer, paths } = await reach(this, flags, argv.map(String))
    const events = await computer.files.watch(paths, { recursive: flags.recursive, signal: this.signal, onMissed: () => this.#tellMissed(computer.name) })
    this.out.note(`Watching ${paths.join(', ')} on ${computer.name}. Ctrl-C ends it.`)
    for await (const event of events) this.out.event(event, `${signs[event.event]} ${event.path}${event.directory ? '/' : ''}`)
  }

  #tellMissed(name: string): void {
    const what = `The connection to ${name} broke and is there again: changes meanwhile may have been missed.`
    if (this.out.json) this.out.event({ event: 'missed' }, what)
    else this.out.note(what)
  }
}
