import type { PortEvent, Ports } from '../../contract/index.ts'
import { Path, type PortList } from '../../protocol/index.ts'
import type { Calls } from './calls.ts'
import { documents } from './documents.ts'

export function guestPorts(calls: Calls): Ports {
  return {
    async list() {
      return (await calls.get<PortList>(Path.ports, (value) => 'ports' in value && Array.isArray(value.ports))).ports
    },
    events: ({ signal } = {}) => portEvents(calls, signal),
  }
}

async function* portEvents(calls: Calls, signal: AbortSignal | undefined): AsyncGenerator<PortEvent, void> {
  const { stream } = await calls.open('GET', Path.portEvents, { signal }, true)
  yield* documents<PortEvent>(stream, (value) => 'type' in value && 'port' in value, signal)
}
