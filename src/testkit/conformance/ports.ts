import assert from 'node:assert/strict'
import type { PortEvent } from '../../contract/index.ts'
import { rejects, until } from './helpers.ts'
import { listen } from './listener.ts'
import type { Topic } from './topic.ts'

export const ports: Topic = {
  name: 'ports',
  needs: 'ports',
  use: async (bench) => (await bench.computer()).ports.list(),
  tests: {
    'what listens is listed, in order, with its program': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      const found = await until('the port is listed', async () => (await computer.ports.list()).find(({ port }) => port === server.port))
      assert.equal(found.address, '127.0.0.1')
      assert.ok(found.pid >= 0 && typeof found.program === 'string')
      const numbers = (await computer.ports.list()).map(({ port }) => port)
      assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b))
      await server.stop()
      await until('it is gone', async () => !(await computer.ports.list()).some(({ port }) => port === server.port))
    },
    'events tell what is there, then what opens and closes': async (bench) => {
      const computer = await bench.computer()
      const first = await listen(computer)
      await until('it is seen', async () => (await computer.ports.list()).some(({ port }) => port === first.port))
      const events = computer.ports.events()[Symbol.asyncIterator]()
      await next(events, (event) => event.type === 'opened' && event.port === first.port)
      const second = await listen(computer)
      await next(events, (event) => event.type === 'opened' && event.port === second.port)
      await second.stop()
      await next(events, (event) => event.type === 'closed' && event.port === second.port)
      await events.return?.()
      await first.stop()
    },
    'events are given up on request': async (bench) => {
      const computer = await bench.computer()
      const read = async () => {
        for await (const event of computer.ports.events({ signal: AbortSignal.timeout(100) })) assert.ok(event.port > 0)
      }
      await rejects(read(), 'timeout', 'aborted')
    },
  },
}

async function next(events: AsyncIterator<PortEvent>, wanted: (event: PortEvent) => boolean): Promise<void> {
  for (;;) {
    const { done, value } = await events.next()
    assert.ok(done !== true, 'the events ended')
    if (wanted(value)) return
  }
}
