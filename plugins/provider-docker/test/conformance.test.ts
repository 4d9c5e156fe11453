import { after, describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { kit } from '../../provider-local/test/support.ts'
import { descriptor } from '../src/register.ts'

/** As it is, but for the copy of Node that would be made first. */
const quick: typeof descriptor = { ...descriptor, connect: async (context) => descriptor.connect({ ...context, guest: await kit() }) }

describe('the Docker provider conforms', () => {
  conformance(
    { test: (name, body) => it(name, body), describe, after },
    {
      descriptor: quick,
      create: { options: { image: 'amux-test/debian:bookworm' } },
      expect: { isolation: 'native', disk: 'native', users: 'native', sessions: 'emulated', checkpoints: 'emulated', network: 'emulated' },
    },
  )
})
