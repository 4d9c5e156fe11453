import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { roster } from '../../src/agents/index.ts'
import { Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

/** Every agent of the roster, for real. */
describe('every agent', () => {
  let amux: Scratch

  before(async () => {
    amux = await Scratch.make()
    await amux.run(['computer', 'create', '-P', 'local'])
  })
  after(() => disposeAll(amux))

  for (const { id, title } of roster) {
    it(`${title} is installed from npm and tells its version`, async () => {
      const { status, stdout, stderr } = await amux.run([id, '--', '--version'])
      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(/\d+\.\d+/u)
      const again = await amux.run([id, '--', '--version'])
      expect({ status: again.status, stderr: again.stderr }).to.deep.equal({ status: 0, stderr: '' })
    })
  }
})
