import type { CommandCall } from '../../../../../src/contract/index.ts'
import { onSprite, option, spriteFlags } from '../../chosen.ts'
import { command } from '../../../../shared/command.ts'
import { fail } from '../../errors.ts'
import { collect } from '../../service/collect.ts'

interface Row {
  readonly id: string
  readonly create_time?: string
  readonly source_id?: string
  readonly comment?: string | null
  readonly is_auto?: boolean
  readonly health?: string
}

export default command({
  summary: 'List checkpoints as the service has them, newest first.',
  description: "The first is the disk as it is now. amux's own view of them, without that one: amux computer checkpoint ls.",
  examples: ['<%= config.bin %> <%= command.id %> --auto', '<%= config.bin %> <%= command.id %> --history v3'],
  flags: {
    ...spriteFlags,
    auto: { type: 'boolean', summary: 'Those too that the service makes by itself.' },
    history: { type: 'option', summary: 'Only what this one came from.', helpValue: 'ID' },
  },
  execute: (call) =>
    onSprite(call, async ({ name, client, path }) => {
      const history = option(call, 'history')
      const query = { includeAuto: call.flags['auto'] === true || undefined, history }
      const answer = await client.bytes('GET', path('checkpoints'), { query, signal: call.signal })
      const text = (await collect(answer.body, 'the list of checkpoints')).toString()
      if (history !== undefined && text.trim() === '') throw fail('not_found', `there is no checkpoint ${JSON.stringify(history)} on ${name}`, { computer: name, hint: `See which there are: amux sprites checkpoints -c ${name}` })
      if (String(answer.headers['content-type'] ?? '').startsWith('text/plain')) call.data({ computer: name, history: text.split('\n').filter((line) => line !== '') }, () => text.trimEnd())
      else show(call, name, rowsOf(text))
    }),
})

function show(call: CommandCall, name: string, rows: readonly Row[]): void {
  const columns = {
    id: ({ id }: Row) => id,
    created: ({ create_time }: Row) => create_time,
    from: ({ source_id }: Row) => source_id,
    kind: ({ is_auto }: Row) => (is_auto === true ? 'automatic' : ''),
    problem: ({ health }: Row) => health,
    comment: ({ comment }: Row) => comment ?? '',
  }
  call.table(rows, columns, { empty: `${name} has no checkpoints. Make one: amux computer checkpoint create -c ${name}` })
}

function rowsOf(text: string): readonly Row[] {
  try {
    const value: unknown = JSON.parse(text)
    // What is missing in them is shown as missing.
    if (Array.isArray(value)) return value as readonly Row[]
  } catch {
    // Said below.
  }
  throw fail('corrupt', 'the API answered with no list of checkpoints')
}
