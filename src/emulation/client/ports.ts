import type { PortEvent, Ports } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { Path, type PortList } from '../../protocol/index.ts'
import type { Calls } from './calls.ts'
import { parseJson } from './wire.ts'

const LONGEST_LINE = 64 * 1024

export function guestPorts(calls: Calls): Ports {
  return {
    async list() {
      return (await calls.get<PortList>(Path.ports, (value) => 'ports' in value && Array.isArray(value.ports))).ports
    },
    events: ({ signal } = {}) => portEvents(calls, signal),
  }
}

async function* portEvents(calls: Calls, signal: AbortSignal | undefined): AsyncGenerator<PortEvent, void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of calls.download(Path.portEvents, { signal })) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end)
      rest = rest.subarray(end + 1)
      if (line.length > 0) yield parseJson<PortEvent>(line, (value) => 'type' in value && 'port' in value)
    }
    if (rest.length > LONGEST_LINE) throw fail('corrupt', 'the guest sent an endless line', { source: 'transport' })
  }
}
