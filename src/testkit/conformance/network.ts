import assert from 'node:assert/strict'
import type { NetworkEvent, NetworkPolicy } from '../../contract/index.ts'
import { rejects, rejectsNamed, run, sh, stops, until } from './helpers.ts'
import type { Topic } from './topic.ts'

const open: NetworkPolicy = { rules: [] }
const fence: NetworkPolicy = { rules: [{ domain: 'allowed.example', action: 'allow' }, { domain: '*.allowed.example', action: 'allow' }] }

async function events(source: AsyncIterable<NetworkEvent>): Promise<NetworkEvent[]> {
  const found: NetworkEvent[] = []
  for await (const event of source) found.push(event)
  return found
}

export const network: Topic = {
  name: 'network policy',
  needs: 'network',
  use: async (bench) => (await bench.computer()).network.set(fence),
  tests: {
    'a new computer is open': async (bench) => {
      assert.deepEqual(await (await bench.computer()).network.get(), open)
    },
    'a policy is what was set, also after a stop': async (bench) => {
      const computer = await bench.create()
      await computer.network.set(fence)
      assert.deepEqual(await computer.network.get(), fence)
      const stopped = await stops(computer)
      assert.deepEqual(await computer.network.get(), fence)
      await computer.network.set({ rules: [...fence.rules, { include: 'defaults' }] })
      if (stopped) await computer.start()
      assert.deepEqual(await computer.network.get(), { rules: [...fence.rules, { include: 'defaults' }] })
      await computer.network.set(open)
      assert.deepEqual(await computer.network.get(), open)
      await computer.delete()
    },
    'what is no policy is refused, and the old one stays': async (bench) => {
      const computer = await bench.create({ network: { policy: fence } })
      assert.deepEqual(await computer.network.get(), fence)
      for (const domain of ['', '*.*', 'a..b', '-a.example', '10.0.0.1', '::1', 'http://a.example', 'a.example:80', 'a'.repeat(64), '*.']) {
        await rejects(computer.network.set({ rules: [{ domain, action: 'allow' }] }), 'invalid_argument')
      }
      assert.deepEqual(await computer.network.get(), fence)
      await computer.delete()
    },
    'lookups of what is not allowed are refused at once, from the first instruction on, and logged': async (bench) => {
      const computer = await bench.create({ network: { policy: fence } })
      const refused = await run(computer, ['getent', 'hosts', 'denied.example'])
      assert.notDeepEqual(refused.exit, { code: 0 })
      const seen = () => events(computer.network.log({ denied: true }))
      const event = await until('the refusal is logged', async () => (await seen()).find(({ domain }) => domain === 'denied.example'))
      assert.equal(event.event, 'lookup')
      assert.ok(!Number.isNaN(Date.parse(event.time)))
      if (await stops(computer)) await computer.start()
      await run(computer, ['getent', 'hosts', 'again.example'])
      await until('a refusal after the restart is logged', async () => (await seen()).some(({ domain }) => domain === 'again.example'))
      await computer.delete()
    },
    'changes are logged': async (bench) => {
      const computer = await bench.create()
      await computer.network.set(fence)
      const all = await until('the change is logged', async () => {
        const found = await events(computer.network.log())
        return found.some(({ event }) => event === 'policy') && found
      })
      assert.ok(all.length > 0)
      await computer.delete()
    },
    'programs reach each other on the computer whatever the policy': async (bench) => {
      const computer = await bench.create({ network: { policy: { rules: [{ domain: '*', action: 'deny' }] } } })
      assert.equal(await sh(computer, 'getent hosts localhost | grep -c localhost'), '1')
      await computer.delete()
    },
    'two changes at once: one of them is in force, whole': async (bench) => {
      const computer = await bench.create()
      const policies = Array.from({ length: 6 }, (_, n): NetworkPolicy => ({ rules: [{ domain: `n${n}.example`, action: 'allow' }] }))
      const again = await bench.get(computer.name)
      await Promise.all(policies.map((policy, index) => (index % 2 === 0 ? computer : again).network.set(policy)))
      const now = JSON.stringify(await computer.network.get())
      assert.ok(policies.some((policy) => JSON.stringify(policy) === now), now)
      await computer.delete()
    },
    'a computer that is gone has none': async (bench) => {
      const computer = await bench.create()
      await computer.delete()
      await rejectsNamed(computer, computer.network.set(fence), 'not_found')
    },
  },
}
