import assert from 'node:assert/strict'
import { all, pattern, Reader, rejectsNamed, rejects, until } from './helpers.ts'
import { listen } from './listener.ts'
import type { Topic } from './topic.ts'

export const tunnel: Topic = {
  name: 'tunnel',
  needs: 'tunnel',
  use: async (bench) => (await bench.computer()).tunnel(1),
  tests: {
    'carries bytes both ways, and each end of it': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      const stream = await computer.tunnel(server.port)
      const data = pattern(2_000_003)
      const reading = all(stream.source)
      for (let at = 0; at < data.length; at += 90_001) await stream.sink.write(data.subarray(at, at + 90_001))
      await stream.sink.end()
      assert.ok((await reading).equals(data))
      stream.close()
      stream.close()
      await server.stop()
    },
    'many at once do not mix': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const stream = await computer.tunnel(server.port, { host: '127.0.0.1' })
          const reader = new Reader(stream.source)
          for (let round = 0; round < 3; round++) {
            await stream.sink.write(Buffer.from(`tunnel ${n} round ${round}\n`))
            await reader.until(`tunnel ${n} round ${round}\n`)
          }
          await stream.sink.end()
          assert.equal((await reader.rest()).split('\n').length, 4)
        }),
      )
      await server.stop()
    },
    'where nothing listens, or nobody is': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      await server.stop()
      await until('the port is free', async () => computer.tunnel(server.port).then((stream) => stream.close(), () => true))
      await rejectsNamed(computer, computer.tunnel(server.port), 'unavailable')
      await rejects(computer.tunnel(80, { host: 'no-such-host.invalid' }), 'not_found', 'unavailable')
      for (const port of [0, -1, 65536, 1.5]) await rejects(computer.tunnel(port), 'invalid_argument')
    },
    'a reader that stops holds up nobody else': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      const stuck = await computer.tunnel(server.port)
      const flooding = { on: true }
      const flood = (async () => {
        while (flooding.on) await stuck.sink.write(pattern(64 * 1024))
      })().catch(() => {})
      const free = await computer.tunnel(server.port)
      const reader = new Reader(free.source)
      for (const word of ['one', 'two', 'three']) {
        await free.sink.write(Buffer.from(word))
        await reader.until(word)
      }
      flooding.on = false
      stuck.close()
      await flood
      free.close()
      await server.stop()
    },
    'closing at this end is seen at the other': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      const stream = await computer.tunnel(server.port)
      await stream.sink.write(Buffer.from('x'))
      stream.close()
      await rejects(stream.sink.write(pattern(10)), 'connection_lost', 'aborted')
      await server.stop()
    },
    'the end of the program at the other end is seen here': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      const stream = await computer.tunnel(server.port)
      await stream.sink.write(Buffer.from('x'))
      await new Reader(stream.source).until('x')
      const ended = all(stream.source).catch(() => 'broken')
      await server.stop()
      await ended
    },
    'is given up on request': async (bench) => {
      const computer = await bench.computer()
      const server = await listen(computer)
      await rejects(computer.tunnel(server.port, { signal: AbortSignal.abort() }), 'aborted')
      const controller = new AbortController()
      const stream = await computer.tunnel(server.port, { signal: controller.signal })
      const ended = all(stream.source).catch(() => 'ended')
      controller.abort()
      await ended
      await server.stop()
    },
  },
}
