import assert from 'node:assert/strict'
import type { LogOptions, Sessions } from '../../contract/index.ts'
import { rejects, until } from './helpers.ts'
import type { Topic } from './topic.ts'

export const logs: Topic = {
  name: 'logs',
  needs: 'sessions',
  use: async (bench) => (await bench.computer()).sessions.list(),
  tests: {
    'by stream, from an offset, and the last lines': async (bench) => {
      const { sessions } = await bench.computer()
      const id = await ended(sessions, 'echo one; echo two; echo three; echo err >&2')
      assert.equal(await text(sessions, id, { stream: 'stdout' }), 'one\ntwo\nthree\n')
      assert.equal(await text(sessions, id, { stream: 'stderr' }), 'err\n')
      assert.equal(await text(sessions, id, { stream: 'stdout', from: 4 }), 'two\nthree\n')
      assert.equal(await text(sessions, id, { stream: 'stdout', from: 14 }), '')
      assert.equal(await text(sessions, id, { stream: 'stdout', tail: 2 }), 'two\nthree\n')
      assert.equal(await text(sessions, id, { stream: 'stdout', tail: 0 }), '')
      const both = await text(sessions, id, {})
      assert.ok(both.length === 18 && both.includes('err\n') && both.includes('one\n'), JSON.stringify(both))
      await sessions.remove(id)
    },
    'chunks carry absolute offsets without a gap': async (bench) => {
      const { sessions } = await bench.computer()
      const id = await ended(sessions, 'head -c 3000000 /dev/zero')
      let at = 0
      for await (const { offset, data, stream } of sessions.logs(id, { stream: 'stdout' })) {
        assert.equal(stream, 'stdout')
        assert.equal(offset, at)
        at += data.length
      }
      assert.equal(at, 3_000_000)
      await sessions.remove(id)
    },
    'only the last bytes are kept, and a read below them says where it begins': async (bench) => {
      const { sessions } = await bench.computer()
      const id = await ended(sessions, 'head -c 40000000 /dev/zero; printf END')
      let first: number | undefined
      let at = 0
      for await (const { offset, data } of sessions.logs(id, { stream: 'stdout', from: 0 })) {
        first ??= offset
        at = offset + data.length
      }
      assert.ok(first !== undefined && first > 0 && first < 40_000_000, `first kept byte: ${first}`)
      assert.equal(at, 40_000_003)
      assert.ok(at - first >= 8 * 1024 * 1024, `only ${at - first} bytes are kept`)
      await sessions.remove(id)
    },
    'following goes on until the end': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'echo first; read line; echo "second:$line"'], { detached: true })
      const { id } = live.session
      let seen = ''
      let sent = false
      for await (const { data } of sessions.logs(id, { stream: 'stdout', follow: true })) {
        seen += Buffer.from(data).toString()
        if (!sent && seen.includes('first')) {
          sent = true
          await sessions.send(id, Buffer.from('x\n'))
        }
      }
      assert.equal(seen, 'first\nsecond:x\n')
      await sessions.wait(id)
      await sessions.remove(id)
    },
    'without follow it ends at what there is': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'echo there; exec sleep 1000'], { detached: true })
      const { id } = live.session
      await until('it is logged', async () => (await text(sessions, id, {})) === 'there\n')
      await sessions.kill(id, { grace: 0 })
      await sessions.remove(id)
    },
    'following is left early, and given up on request': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'while :; do echo line; sleep 0.02; done'], { detached: true })
      const { id } = live.session
      for await (const { data } of sessions.logs(id, { follow: true })) {
        assert.ok(data.length > 0)
        break
      }
      const read = async () => {
        for await (const _ of sessions.logs(id, { follow: true, signal: AbortSignal.timeout(150) })) assert.ok(true)
      }
      await rejects(read(), 'timeout', 'aborted')
      await sessions.kill(id, { grace: 0 })
      await sessions.remove(id)
    },
    'of an unknown session there are none': async (bench) => {
      const { sessions } = await bench.computer()
      await rejects(text(sessions, 'no-such', {}), 'not_found')
    },
  },
}

async function ended(sessions: Sessions, script: string): Promise<string> {
  const { session } = await sessions.start(['sh', '-c', script], { detached: true })
  await sessions.wait(session.id)
  return session.id
}

async function text(sessions: Sessions, id: string, options: LogOptions): Promise<string> {
  let whole = ''
  for await (const { data } of sessions.logs(id, options)) whole += Buffer.from(data).toString()
  return whole
}
