import type { ListeningPort, PortEvent, Ports } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import { feed } from './service/feed.ts'
import { Patience } from './service/patience.ts'
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
  const open = new Map<string, ListeningPort>()
  const patience = new Patience()
  for (;;) {
    try {
      for await (const row of watch(sprite, signal)) {
        patience.heard()
        yield* changes(row, open)
      }
    } catch (error) {
      await patience.wait(error, signal)
    }
  }
}

/** Keeps `open`. A list is what begins a connection, the first or a later one: what differs happened meanwhile. */
function changes({ type, ports = [], ...row }: Row, open: Map<string, ListeningPort>): readonly PortEvent[] {
  if (type === 'port_list') {
    const now = new Map(ports.map(portOf).map((port) => [keyOf(port), port]))
    const [gone, fresh] = [without(open, now), without(now, open)]
    return [...gone.flatMap((port) => closed(port, open)), ...fresh.flatMap((port) => opened(port, open))]
  }
  if (type === 'port_opened') return opened(portOf(row), open)
  return type === 'port_closed' ? closed(portOf(row), open) : []
}

function without(ports: ReadonlyMap<string, ListeningPort>, others: ReadonlyMap<string, ListeningPort>): ListeningPort[] {
  return [...ports].flatMap(([key, port]) => (others.has(key) ? [] : [port])).toSorted((a, b) => a.port - b.port)
}

function opened(port: ListeningPort, open: Map<string, ListeningPort>): PortEvent[] {
  open.set(keyOf(port), port)
  return [{ type: 'opened', ...port }]
}

function closed(port: ListeningPort, open: Map<string, ListeningPort>): PortEvent[] {
  open.delete(keyOf(port))
  return [{ type: 'closed', ...port }]
}

function keyOf({ address, port }: ListeningPort): string {
  return `${address} ${port}`
}

function watch(sprite: Sprite, signal: AbortSignal | undefined): AsyncGenerator<Row, void> {
  return feed(sprite, ['ports', 'watch'], signal)
}

/** Which program it is, the service does not say. */
function portOf({ port, address, pid }: Row): ListeningPort {
  return { port: Number(port), address: String(address ?? ''), pid: Number(pid ?? 0), program: '' }
}
