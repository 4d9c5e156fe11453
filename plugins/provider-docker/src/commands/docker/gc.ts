import { command } from '../../../../shared/command.ts'
import { Client } from '../../client.ts'
import { type Leftover, leftoversOf, removeLeftovers } from '../../gc.ts'

export default command({
  summary: 'Remove what amux left on a Docker engine: helpers, and parts of computers that are gone.',
  description: 'Computers, their homes and their checkpoints are never among it. It says first what it would remove, and asks.',
  examples: ['<%= config.bin %> <%= command.id %> --dry-run', '<%= config.bin %> <%= command.id %> --yes'],
  flags: { 'dry-run': { type: 'boolean', summary: 'Only say what would be removed.' } },
  async execute(call) {
    const client = new Client(await call.settings('docker'))
    const found = await leftoversOf(client)
    if (call.flags['dry-run'] === true || found.length === 0) return call.table(found, columns, { empty: 'amux left nothing there.' })
    if (!call.json) for (const { kind, name, why } of found) call.note(`${kind} ${name}: ${why}`)
    await call.confirm(`Remove ${found.length === 1 ? 'this' : `these ${found.length}`}?`)
    call.table(await removeLeftovers(client, found), columns, { empty: 'All of it is in use after all.' })
  },
})

const columns = {
  kind: ({ kind }: Leftover) => kind,
  name: ({ name }: Leftover) => name.slice(0, 60),
  computer: ({ of }: Leftover) => of,
  why: ({ why }: Leftover) => why,
}
