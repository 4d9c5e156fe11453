import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { EquippedComputer } from '../../contract/index.ts'
import type { Bench } from './bench.ts'
import { rejects, until } from './helpers.ts'
import type { Topic } from './topic.ts'

const SOON = 300

export const idleStop: Topic = {
  name: 'idle stop',
  needs: 'idle-stop',
  use: async (bench) => (await bench.computer()).idleStop.set(60_000),
  tests: {
    'is off unless asked for': async (bench) => {
      assert.equal(await (await bench.computer()).idleStop.get(), undefined)
    },
    'stops a computer that nothing uses, which says why, and starts with the next use': async (bench) => {
      const computer = await asleep(bench)
      await rejects(computer.spawn(['true']), 'not_running')
      computer.onSlept(() => computer.start())
      await succeeds(computer)
      assert.equal((await computer.info()).because, undefined)
      assert.equal(await computer.idleStop.get(), SOON, 'the setting outlives the stop')
      await computer.delete()
    },
    'can be set and taken back while the computer is stopped': async (bench) => {
      const computer = await asleep(bench)
      await computer.idleStop.set(90_000)
      assert.equal(await computer.idleStop.get(), 90_000)
      await computer.idleStop.set(undefined)
      assert.equal(await computer.idleStop.get(), undefined)
      await computer.start()
      await succeeds(computer)
      await computer.delete()
    },
    'waits while somebody is connected': async (bench) => {
      const computer = await bench.create()
      await computer.idleStop.set(SOON)
      const program = await computer.spawn(['cat'])
      // Where it would stop, it has by then; where the machine is slow, this finds nothing.
      await delay(5 * SOON)
      assert.equal((await computer.info()).state, 'running')
      await program.stdin.end()
      assert.deepEqual(await program.exit, { code: 0 })
      await computer.delete()
    },
    'serves who comes just as it stops': async (bench) => {
      const computer = await bench.create()
      await computer.idleStop.set(SOON)
      await computer.close()
      for (const pause of [0, 1, 2, 3].map((step) => SOON + step * 60)) {
        const visitor = await bench.get(computer.name)
        visitor.onSlept(() => visitor.start())
        if ((await visitor.info()).state !== 'running') await visitor.start()
        await succeeds(visitor)
        await visitor.close()
        await delay(pause)
      }
      await (await bench.get(computer.name)).delete()
    },
  },
}

/** One that has stopped by itself, as somebody sees it who is not connected. */
async function asleep(bench: Bench): Promise<EquippedComputer> {
  const made = await bench.create()
  await made.idleStop.set(SOON)
  await made.close()
  const computer = await bench.get(made.name)
  const because = await until('it has stopped by itself', async () => (await computer.info()).because)
  assert.equal(because, 'by itself, idle for 300ms')
  return computer
}

async function succeeds(computer: EquippedComputer): Promise<void> {
  const program = await computer.spawn(['true'])
  assert.deepEqual(await program.exit, { code: 0 })
}
