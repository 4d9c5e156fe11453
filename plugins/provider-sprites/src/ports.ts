import type { ListeningPort, PortEvent, Ports } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import { feed } from './service/feed.ts'
import type { Sprite } from './sprite.ts'

interface Row {
  readonly type?: string
  readonly port?: unknown
  readonly address?: unknown
  readonly pid?: unknown
  readonly ports?: readonly Row[]
}

export function spritePorts(sprite: Sprite): Ports {
  return {
    async list() {
      for await (const row of watch(sprite, undefined)) if (row.type === 'port_list') return (row.ports ?? []).map(portOf).toSorted((a, b) => a.port - b.port)
      throw fail('connection_lost', 'the service did not say what listens', { source: 'transport', computer: sprite.name })
    },
    events: ({ signal } = {}) => events(sprite, signal),
  }
}

async function* events(sprite: Sprite, signal: AbortSignal | undefined): AsyncGenerator<PortEvent, void> {
  for await (const row of watch(sprite, signal)) {
    if (row.type === 'port_list') for (const port of (row.ports ?? []).map(portOf).toSorted((a, b) => a.port - b.port)) yield { type: 'opened', ...port }
    else if (row.type === 'port_opened' || row.type === 'port_closed') yield { type: row.type === 'port_opened' ? 'opened' : 'closed', ...portOf(row) }
  }
}

function watch(sprite: Sprite, signal: AbortSignal | undefined): AsyncGenerator<Row, void> {
  return feed(sprite, ['ports', 'watch'], signal)
}

/** Which program it is, the service does not say. */
function portOf({ port, address, pid }: Row): ListeningPort {
  return { port: Number(port), address: String(address ?? ''), pid: Number(pid ?? 0), program: '' }
}
