import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, computerFlags } from '../../../cli/index.ts'
import { fail, hasCode, normalise } from '../../../errors/index.ts'

export default class ComputerSessionRm extends AmuxCommand {
  static override summary = 'Forget ended sessions and their logs.'
  static override aliases = ['computer:session:delete', 'computer:session:destroy']
  static override examples = ['<%= config.bin %> <%= command.id %> build', '<%= config.bin %> <%= command.id %> --ended']
  static override args = { session: string({ ignoreStdin: true, description: 'Name or id of a session; several may be given.' }) }
  static override strict = false
  static override flags = {
    ...computerFlags,
    ended: boolean({ aliases: ['all'], summary: 'All that ended (also --all); what runs stays.' }),
  }

  async execute(): Promise<void> {
    const { flags, argv } = await this.parse(ComputerSessionRm)
    const ended = flags.ended === true
    if (argv.length > 0 === ended) throw fail('invalid_argument', ended ? '--ended takes no sessions: it means all that ended' : 'which sessions?', { hint: 'amux computer session rm SESSION, or all that ended: amux computer session rm --ended' })
    const { sessions } = await this.amux.computer(flags)
    const ids = ended ? (await sessions.list()).filter(({ state }) => state.status !== 'running').map(({ id }) => id) : argv.map(String)
    for (const id of ids) await sessions.remove(id).catch((error: unknown) => refuse(id, error))
    this.out.data({ removed: ids }, () => (ids.length === 0 ? 'nothing to remove' : ids.join('\n')))
  }
}

function refuse(id: string, error: unknown): never {
  if (!hasCode(error, 'conflict')) throw error
  const { code, message, ...rest } = normalise(error)
  throw fail(code, message, { ...rest, cause: error, hint: `End it first: amux computer session kill ${id}` })
}
