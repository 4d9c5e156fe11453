import { describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { descriptor } from '../src/register.ts'
import { kit, tier } from './support.ts'

const own = await kit()

describe(`the local provider conforms in the ${tier} tier`, () => {
  conformance(
    { test: (name, body) => it(name, body), describe },
    { descriptor, kit: own, expectTier: tier, expect: { isolation: 'native', disk: tier === 'root' ? 'native' : 'emulated', sessions: 'emulated' } },
  )
})
