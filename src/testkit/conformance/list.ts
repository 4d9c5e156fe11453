import assert from 'node:assert/strict'
import { rejects } from './helpers.ts'
import type { Topic } from './topic.ts'

export const list: Topic = {
  name: 'list',
  tests: {
    'lists every computer once, with its labels': async (bench) => {
      const made = await Promise.all([bench.create(), bench.create(), bench.create({ labels: { ...bench.labels, extra: 'Ä "x"' } })])
      const seen: string[] = []
      for await (const info of (await bench.provider()).list()) {
        if (info.labels['amux-conformance'] !== bench.labels['amux-conformance']) continue
        seen.push(info.name)
        if (info.name === made[2]?.name) assert.equal(info.labels['extra'], 'Ä "x"')
      }
      for (const { name } of made) assert.equal(seen.filter((one) => one === name).length, 1, `${name} must be listed once`)
      await Promise.all(made.map((computer) => computer.delete()))
    },
    'agrees with info': async (bench) => {
      const computer = await bench.computer()
      const info = await computer.info()
      for await (const one of (await bench.provider()).list()) {
        if (one.name !== computer.name) continue
        assert.equal(one.createdAt, info.createdAt)
        assert.equal(one.state, info.state)
        return
      }
      assert.fail('the computer is not listed')
    },
    'may be left early, and read again': async (bench) => {
      await bench.computer()
      for (let round = 0; round < 2; round++) {
        for await (const info of (await bench.provider()).list()) {
          assert.ok(info.name !== '')
          break
        }
      }
    },
    'does not list the deleted': async (bench) => {
      const computer = await bench.create()
      await computer.delete()
      assert.ok(!(await bench.left()).includes(computer.name))
    },
    'is given up on request': async (bench) => {
      await bench.computer()
      const read = async () => {
        for await (const _ of (await bench.provider()).list({ signal: AbortSignal.abort() })) assert.ok(true)
      }
      await rejects(read().catch((error: unknown) => Promise.reject(error)), 'aborted')
    },
  },
}
