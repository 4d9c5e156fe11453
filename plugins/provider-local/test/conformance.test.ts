import { after, describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { onThePage } from '../../../test/support/capability-page.ts'
import { descriptor } from '../src/register.ts'
import { kit, tier } from './support.ts'

/** As it is, but for the copy of Node that would be made first. */
const quick: typeof descriptor = { ...descriptor, connect: async (context) => descriptor.connect({ ...context, guest: await kit() }) }

describe(`the local provider conforms in the ${tier} tier`, () => {
  conformance(
    { test: (name, body) => it(name, body), describe, after },
    {
      descriptor: quick,
      expectTier: tier,
      // An ordinary user may not be let at /dev/net/tun, without which there is no network of one's own.
      expect: { isolation: 'native', disk: tier === 'root' ? 'native' : 'emulated', sessions: 'emulated', checkpoints: 'emulated', ...(tier === 'root' && { network: 'emulated' as const }) },
      ...(tier === 'root' && { report: onThePage('local') }),
    },
  )
})
