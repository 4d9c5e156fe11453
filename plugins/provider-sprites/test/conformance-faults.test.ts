import { after, describe, it } from 'mocha'
import { conformance } from '../../../src/testkit/index.ts'
import { type Bench, serve } from '../../provider-local/test/server/support.ts'
import { kit } from '../../provider-local/test/support.ts'
import { descriptor } from '../src/register.ts'
import { Faults } from './faults.ts'

let server: Bench | undefined
let faults: Faults | undefined

/** Another one: AMUX_SEED=7. */
const seed = Number(process.env['AMUX_SEED'] ?? 20_261)

/** The same suite, over a network that cuts every piece up and holds it back, and breaks now and then. Each break by itself is tried in `faults.test.ts`. */
const shaken: typeof descriptor = {
  ...descriptor,
  async connect(context) {
    server ??= await serve()
    faults ??= await Faults.before(server.url, seed)
    faults.set({ shaky: true, breaks: 0.02 })
    return descriptor.connect({ ...context, settings: { url: faults.url, token: server.token }, guest: await kit() })
  },
}

describe(`the Sprites provider conforms, over a network that is slow, cuts everything up and breaks (seed ${seed})`, function () {
  this.timeout(180_000)
  conformance({ test: (name, body) => it(name, body), describe, after }, { descriptor: shaken })
  // Behind what the suite does at its own end.
  after(async () => {
    if (faults) console.log(`      ${faults.cuts} connections were broken`)
    faults?.close()
    await server?.end()
  })
})
