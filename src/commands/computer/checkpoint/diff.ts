import { string } from '@oclif/core/args'
import type { CheckpointChange } from '../../../contract/index.ts'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { fail } from '../../../errors/index.ts'
import { formatBytes } from '../../../util/bytes.ts'
import { cleanLine } from '../../../util/text.ts'

const signs = { added: '+', removed: '-', modified: '~' } as const

export default class CheckpointDiff extends AmuxCommand {
  static override summary = 'Show what changed since a checkpoint, or between two.'
  static override description = `Without B: until now. Without A: since the newest one. "+" was added, "-" removed, "~" changed, with what of it.`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> v2', '<%= config.bin %> <%= command.id %> v2 v5 --json']
  static override args = {
    a: string({ name: 'A', description: 'Id of a checkpoint.', ignoreStdin: true }),
    b: string({ name: 'B', description: 'Id of another.', ignoreStdin: true }),
  }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(CheckpointDiff)
    const { checkpoints, name } = await this.amux.computer(flags)
    const from = args.a ?? (await checkpoints.list())[0]?.id
    if (from === undefined) throw fail('not_found', `${name} has no checkpoints`, { hint: 'Make one: amux computer checkpoint create' })
    if (args.a === undefined) this.out.note(`Since ${from}:`)
    for await (const change of checkpoints.diff(from, args.b, { signal: this.signal })) this.out.event(change, line(change))
  }
}

function line({ path, change, type, what, before, after }: CheckpointChange): string {
  const sign = `${signs[change]} ${cleanLine(path)}${type === 'directory' ? '/' : ''}`
  if (change !== 'modified') return sign
  const sizes = what.includes('content') && before !== undefined && after !== undefined ? ` ${formatBytes(before)} -> ${formatBytes(after)}` : ''
  return `${sign}   ${what.join(', ')}${sizes}`
}
