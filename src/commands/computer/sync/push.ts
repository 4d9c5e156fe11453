import { AmuxCommand } from '../../../cli/index.ts'
import { sync, syncArg, syncFlags } from '../../../cli/sync.ts'

export default class SyncPush extends AmuxCommand {
  static override summary = 'Carry what changed here to a computer that has a copy of the project.'
  static override description = `Tracked and unignored files, and the branches of git. What changed on the computer since is never replaced: such files are named, nothing is carried, and the status is 5; --force replaces them. "+" is new, "~" changed, "-" deleted, "!" refused.`
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --dry-run', '<%= config.bin %> <%= command.id %> src docs --delete']
  static override args = { path: syncArg }
  static override flags = syncFlags

  async execute(): Promise<number> {
    const { argv, flags } = await this.parse(SyncPush)
    return sync(this, 'push', argv.map(String), flags)
  }
}
