import { describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { descriptor } from '../src/register.ts'
import { kit, tier } from './support.ts'

describe(`the local provider keeps the contract (${tier} tier)`, function () {
  this.timeout(60_000)
  const own = await_(kit)
  conformance(
    { test: it, describe },
    { descriptor, kit: own, expectTier: tier, expect: { isolation: 'native', disk: tier === 'root' ? 'native' : 'emulated', sessions: 'emulated' } },
  )
})
