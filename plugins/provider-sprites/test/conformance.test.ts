import { after, describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { onThePage } from '../../../test/support/capability-page.ts'
import { type Bench, serve } from '../../provider-local/test/server/support.ts'
import { kit, tier } from '../../provider-local/test/support.ts'
import { descriptor } from '../src/register.ts'

let server: Bench | undefined

/** The server is started when the suite connects, not when its tests are only listed. */
const served: typeof descriptor = {
  ...descriptor,
  async connect(context) {
    server ??= await serve()
    return descriptor.connect({ ...context, settings: { url: server.url, token: server.token }, guest: await kit() })
  },
}

describe('the Sprites provider conforms, on our own server', () => {
  conformance(
    { test: (name, body) => it(name, body), describe, after },
    {
      descriptor: served,
      expect: { isolation: 'native', disk: 'native', exec: 'native', sessions: 'native', tunnel: 'native', checkpoints: 'native', services: 'native', url: 'native', ...(tier === 'root' && { network: 'native' as const }) },
      // A server of an ordinary user offers less.
      ...(tier === 'root' && { report: onThePage('sprites') }),
    },
  )
  // Behind what the suite does at its own end.
  after(() => server?.end())
})
