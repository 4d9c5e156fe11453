import type { EquippedComputer, FileStat } from '../../../contract/index.ts'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { about, pathArg, reach, recursiveFlag } from '../../../cli/files.ts'
import { fail } from '../../../errors/index.ts'

export default class FsRm extends AmuxCommand {
  static override summary = 'Delete files on a computer, with -r directories too.'
  static override description = 'A directory is asked about; a file or a link is not. Links are deleted, never followed. Nothing is deleted when one of the paths is not there.'
  static override aliases = ['computer:fs:delete']
  static override destructive = true
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> build/old.tar', '<%= config.bin %> <%= command.id %> -r ~/.cache --yes']
  static override args = { path: pathArg }
  static override flags = { ...computerFlags, recursive: recursiveFlag }

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(FsRm)
    const { computer, paths } = await reach(this, flags, argv.map(String))
    const found = await Promise.all([...new Set(paths)].map((path) => look(computer, path)))
    const directories = found.filter(({ type }) => type === 'directory').map(({ path }) => path)
    if (directories.length > 0 && !flags.recursive) {
      throw fail('conflict', `${directories[0]} on ${computer.name} is a directory`, { hint: 'To delete it with all that is in it: -r', computer: computer.name })
    }
    if (directories.length > 0) await this.confirm(`Delete ${directories.join(', ')} on ${computer.name} and everything in ${directories.length === 1 ? 'it' : 'them'}?`)
    for (const { path } of found) {
      await computer.files.remove(path, { recursive: flags.recursive }).catch((error: unknown) => {
        throw about(computer, path, error)
      })
    }
    const removed = found.map(({ path }) => path)
    this.out.data({ computer: computer.name, removed }, () => removed.join('\n'))
  }
}

async function look(computer: EquippedComputer, path: string): Promise<FileStat> {
  // With a slash at its end a link would be followed.
  const bare = path.replace(/(?<=.)\/+$/u, '')
  const found = await computer.files.stat(bare).catch((error: unknown) => {
    throw about(computer, bare, error)
  })
  return { ...found, path: bare }
}
