import type { ListeningPort, PortEvent, Ports } from '../../../src/contract/index.ts'
import { fail, given, throwIfAborted } from './errors.ts'
import { parseMessage } from './message.ts'
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

/** What the service says, until given up. */
async function* watch(sprite: Sprite, signal: AbortSignal | undefined): AsyncGenerator<Row, void> {
  throwIfAborted(signal)
  const socket = await sprite.client.socket(sprite.path('ports', 'watch'), { signal })
  const queue: Row[] = []
  let wake: () => void = () => {}
  let over = false
  const onAbort = () => socket.close()
  signal?.addEventListener('abort', onAbort, { once: true })
  socket.listen({
    message(data, binary) {
      if (!binary) queue.push(parseMessage(data.toString()))
      wake()
    },
    close() {
      over = true
      wake()
    },
  })
  try {
    for (;;) {
      const row = queue.shift()
      if (row) yield row
      else if (signal?.aborted) throw given(signal)
      else if (over) throw fail('connection_lost', 'the connection broke', { source: 'transport', computer: sprite.name })
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    socket.close()
  }
}

/** Which program it is, the service does not say. */
function portOf({ port, address, pid }: Row): ListeningPort {
  return { port: Number(port), address: String(address ?? ''), pid: Number(pid ?? 0), program: '' }
}
