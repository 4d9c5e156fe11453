import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, describeMode, describeTime, pathArg, reach } from '../../../cli/files.ts'

export default class FsStat extends AmuxCommand {
  static override summary = 'Show what a path on a computer is.'
  static override description = 'Of a link, the link itself.'
  static override aliases = ['computer:fs:info', 'computer:fs:show']
  static override examples = ['<%= config.bin %> <%= command.id %> README.md', '<%= config.bin %> <%= command.id %> /bin/sh --json']
  static override args = { path: pathArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(FsStat)
    const { computer, paths } = await reach(this, flags, [args.path])
    const [path = ''] = paths
    const found = await computer.files.stat(path).catch((error: unknown) => {
      throw about(computer, path, error)
    })
    this.out.data({ ...found, computer: computer.name }, () => {
      const { type, size, mode, uid, gid, mtime, target } = found
      const shown = { path: found.path, type, size, mode: `${mode.toString(8).padStart(4, '0')} ${describeMode(found)}`, owner: `${uid}:${gid}`, modified: describeTime(mtime), target }
      return Object.entries(shown).flatMap(([key, value]) => (value === undefined ? [] : [`${key.padEnd(9)} ${value}`])).join('\n')
    })
  }
}
