import { after } from 'mocha'
import { setTimeout as delay } from 'node:timers/promises'
import { leftHere } from './engine.ts'

/** Once in a run, behind all of it: what is on the engine then nobody would remove. */
after('nothing of all the tests is left on the engine', async function () {
  this.timeout(60_000)
  for (const give = Date.now() + 30_000; ; await delay(500)) {
    const left = await leftHere()
    if (left.length === 0) return
    if (Date.now() > give) throw new Error(`left on the engine: ${JSON.stringify(left)}`)
  }
})
