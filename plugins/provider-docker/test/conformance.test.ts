import { after, before, describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { onThePage } from '../../../test/support/capability-page.ts'
import { kit } from '../../provider-local/test/support.ts'
import { descriptor } from '../src/register.ts'
import { engine, hasEngine } from './engine.ts'

/** As it is, but for the copy of Node that would be made first. */
const quick: typeof descriptor = { ...descriptor, connect: async (context) => descriptor.connect({ ...context, guest: await kit() }) }

if (hasEngine) {
  describe('the Docker provider conforms', function () {
    // A container takes its time to start, and some tests start dozens.
    this.timeout(240_000)
    before(async function () {
      this.timeout(600_000)
      await engine()
    })
    conformance(
      { test: (name, body) => it(name, body), describe, after },
      { descriptor: quick, expect: { isolation: 'native', disk: 'native', users: 'native', sessions: 'emulated', checkpoints: 'emulated', network: 'emulated', services: 'emulated' }, report: onThePage('docker') },
    )
  })
}
