import type { EquippedComputer } from '../../../contract/index.ts'
import { AmuxCommand, computerFlags, ownComputer } from '../../../cli/index.ts'
import { checkpointArg } from '../../../cli/checkpoints.ts'

export default class CheckpointRm extends AmuxCommand {
  static override summary = 'Delete checkpoints. Others, and the disk, are not concerned.'
  static override aliases = ['computer:checkpoint:delete']
  static override destructive = true
  static override strict = false
  static override examples = ['<%= config.bin %> <%= command.id %> v3', '<%= config.bin %> <%= command.id %> v1 v2 --yes']
  static override args = { checkpoint: checkpointArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { argv, flags } = await this.parse(CheckpointRm)
    const ids = [...new Set(argv.map(String))]
    const computer = await ownComputer(this.amux, flags)
    await allThere(computer, ids)
    await this.confirm(`Delete ${ids.length === 1 ? 'checkpoint' : 'checkpoints'} ${ids.join(', ')} of ${computer.name}?`)
    await computer.checkpoints.remove(ids)
    this.out.data({ computer: computer.name, removed: ids }, () => ids.join('\n'))
  }
}

/** Nothing is asked about what is not there. */
async function allThere({ checkpoints }: EquippedComputer, ids: readonly string[]): Promise<void> {
  const there = new Set((await checkpoints.list()).map(({ id }) => id))
  const missing = ids.find((id) => !there.has(id))
  // It says what the matter is.
  if (missing !== undefined) await checkpoints.get(missing)
}
