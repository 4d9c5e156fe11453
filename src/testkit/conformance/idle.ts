import assert from 'node:assert/strict'
import { Reader } from './helpers.ts'
import type { Topic } from './topic.ts'

export const idle: Topic = {
  name: 'idle',
  needs: 'idle',
  use: async (bench) => (await bench.computer()).idle(),
  tests: {
    'a computer that works says why': async (bench) => {
      const computer = await bench.computer()
      const program = await computer.spawn(['sh', '-c', 'echo busy; while :; do :; done'])
      await new Reader(program.stdout).until('busy')
      const { since, because } = await computer.idle()
      assert.equal(since, undefined)
      assert.ok(because.length > 0 && because.every((reason) => reason.trim() !== ''), JSON.stringify(because))
      await program.kill('SIGKILL')
      await program.exit.catch(() => {})
    },
    'an idle one says since when': async (bench) => {
      const { since, because } = await (await bench.computer()).idle()
      if (since === undefined) assert.ok(because.length > 0, 'neither idle nor working')
      else assert.ok(!Number.isNaN(Date.parse(since)), since)
    },
  },
}
