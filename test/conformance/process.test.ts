import { after, describe, it } from 'mocha'
import { conformance, processProvider } from '../../src/testkit/index.ts'

describe('the process provider conforms', () => {
  conformance({ test: (name, body) => it(name, body), describe, after }, { descriptor: processProvider, expect: { sessions: 'emulated', tty: 'emulated', tunnel: 'emulated' } })
})
