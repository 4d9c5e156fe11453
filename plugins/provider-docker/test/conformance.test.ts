import { after, describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { kit } from '../../provider-local/test/support.ts'
import { descriptor } from '../src/register.ts'
import { engine, hasEngine } from './engine.ts'

/** The engine is made ready when the suite connects, not when its tests are only listed. */
const prepared: typeof descriptor = {
  ...descriptor,
  async connect(context) {
    await engine()
    return descriptor.connect({ ...context, guest: await kit() })
  },
}

if (hasEngine) {
  describe('the Docker provider conforms', function () {
    // The first one waits for its engine and its template.
    this.timeout(600_000)
    conformance(
      { test: (name, body) => it(name, body), describe, after },
      { descriptor: prepared, expect: { isolation: 'native', disk: 'native', users: 'native', sessions: 'emulated', checkpoints: 'emulated', network: 'emulated', services: 'emulated' } },
    )
  })
}
