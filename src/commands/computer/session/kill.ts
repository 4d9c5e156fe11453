import { string } from '@oclif/core/args'
import { string as text } from '@oclif/core/flags'
import type { SessionInfo, Sessions } from '../../../contract/index.ts'
import { AmuxCommand, computerFlags, duration } from '../../../cli/index.ts'
import { stateOf } from '../../../cli/verbs/index.ts'
import { fail } from '../../../errors/index.ts'
import { signalName } from '../../../terminal/index.ts'

export default class ComputerSessionKill extends AmuxCommand {
  static override summary = 'End sessions, with everything they started.'
  static override description = 'First SIGTERM, after a while SIGKILL. With -s, only that one signal, to what runs in the foreground (KILL still ends all of it).'
  static override examples = ['<%= config.bin %> <%= command.id %> build', '<%= config.bin %> <%= command.id %> build -s HUP']
  static override args = { session: string({ ignoreStdin: true, description: 'Name or id of a session; several may be given.', required: true }) }
  static override strict = false
  static override flags = {
    ...computerFlags,
    signal: text({ char: 's', summary: 'Send only this signal.', helpValue: 'SIGNAL', exclusive: ['grace'] }),
    grace: duration({ summary: 'Time between SIGTERM and SIGKILL. Default: 5s.' }),
  }

  async execute(): Promise<void> {
    const { flags, argv } = await this.parse(ComputerSessionKill)
    const signal = flags.signal === undefined ? undefined : named(flags.signal)
    const { sessions } = await this.amux.computer(flags)
    const done: SessionInfo[] = []
    for (const id of argv.map(String)) done.push(await end(sessions, id, signal, flags.grace))
    this.out.data(done, () => done.map((session) => `${session.id}: ${stateOf(session)}`).join('\n'))
  }
}

async function end(sessions: Sessions, id: string, signal: string | undefined, grace: number | undefined): Promise<SessionInfo> {
  if (signal === 'SIGKILL') return sessions.kill(id, { signal, grace: 0 })
  if (signal === undefined) return sessions.kill(id, grace === undefined ? {} : { grace })
  await sessions.signal(id, signal)
  return sessions.get(id)
}

function named(text: string): string {
  const name = signalName(text)
  if (name !== undefined) return name
  throw fail('invalid_argument', `${JSON.stringify(text)} is no signal`, { hint: 'Write it like HUP, INT, TERM, KILL or USR1.' })
}
