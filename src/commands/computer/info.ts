import { AmuxCommand, computerArg, computerFlags, describeState, pick } from '../../cli/index.ts'
import { describeIdleStop } from '../../cli/idle.ts'
import type { EquippedComputer } from '../../contract/index.ts'
import { formatEnd } from '../../ports/index.ts'
import { locate } from '../../project/index.ts'

export default class Info extends AmuxCommand {
  static override summary = 'Show a computer: its state, user, workspace and what it is made of.'
  static override aliases = ['computer:show', 'computer:inspect']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Info)
    const computer = await this.amux.computer(pick(flags, args.computer))
    const info = await computer.info()
    const { provider } = computer
    const after = await idleAfter(computer)
    const record = (await this.amux.followed())?.read()
    const recorded = locate(record, { computer: info.name, provider })
    const workspace = recorded?.workspace ?? info.workspace
    const current = locate(record, {})
    const document = { ...info, provider, workspace, idleStop: after ?? null, current: current?.name === info.name && current.provider === provider }
    const { user } = info
    this.out.data(document, () =>
      lines({
        name: info.name,
        provider,
        state: describeState(info),
        project: info.labels['amux.project'],
        created: info.createdAt,
        'forked from': info.labels['amux.forked-from'],
        workspace: info.ownWorkspace ? `${workspace} (a copy of its own)` : workspace,
        user: user && `${user.name} (${user.uid}:${user.gid}), home ${user.home}`,
        labels: Object.entries(info.labels)
          .filter(([key]) => !key.startsWith('amux.'))
          .map(([key, value]) => `${key}=${value}`)
          .join(', '),
        ...info.details,
        published: info.published?.map((port) => `${formatEnd(port)} -> ${port.remote}`).join(', '),
        idle: after === undefined ? undefined : describeIdleStop(after),
      }),
    )
  }
}

/** Where it cannot be known there is nothing to show. */
async function idleAfter({ idleStop }: EquippedComputer): Promise<number | undefined> {
  return idleStop.get().catch(() => undefined)
}

/** Aligned `key  value`, without what is empty. */
function lines(table: Readonly<Record<string, string | undefined>>): string {
  const filled = Object.entries(table).filter(([, value]) => value)
  const width = Math.max(...filled.map(([key]) => key.length))
  return filled.map(([key, value]) => `${key.padEnd(width)}   ${value}`).join('\n')
}
