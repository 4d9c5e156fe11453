import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { posix } from 'node:path'
import type { ComputerUser, FileStat } from '../../../contract/index.ts'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { describeMode, describeTime, reach } from '../../../cli/files.ts'
import { listing } from '../../../sync/index.ts'

export default class FsLs extends AmuxCommand {
  static override summary = 'List a directory on a computer.'
  static override description = 'A relative path begins in the directory you stand in, as that is on the computer, else in the home directory; ~ is the home directory. A file or a link to one is listed itself.'
  static override aliases = ['computer:fs:list']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> -a ~', '<%= config.bin %> <%= command.id %> /var/log --json']
  static override args = { path: string({ default: '.', description: 'Path on the computer. Default: the directory you stand in.', ignoreStdin: true }) }
  static override flags = { ...computerFlags, all: boolean({ char: 'a', summary: 'Names that begin with a dot too.' }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(FsLs)
    const { computer, paths } = await reach(this, flags, [args.path])
    const [path = '.'] = paths
    const [{ user }, found] = await Promise.all([computer.info(), listing(computer, path)])
    const rows = found.filter((row) => flags.all || !nameOf(row).startsWith('.') || found.length === 1)
    this.out.table(rows, {
      mode: describeMode,
      owner: (row) => owner(row, user),
      size: ({ type, size }) => (type === 'file' ? size : undefined),
      modified: ({ mtime }) => describeTime(mtime),
      name: (row) => (row.target === undefined ? `${nameOf(row)}${row.type === 'directory' ? '/' : ''}` : `${nameOf(row)} -> ${row.target}`),
    }, { name: nameOf, empty: found.length > 0 ? `${path} on ${computer.name} has only names that begin with a dot: -a shows them.` : `${path} on ${computer.name} is empty.` })
  }
}

function nameOf({ path }: FileStat): string {
  return posix.basename(path)
}

function owner({ uid }: FileStat, user: ComputerUser | undefined): string | number {
  if (uid === 0) return 'root'
  return uid === user?.uid ? user.name : uid
}
