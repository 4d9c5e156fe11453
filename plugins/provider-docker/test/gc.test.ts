import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Client } from '../src/client.ts'
import { leftoversOf, removeLeftovers } from '../src/gc.ts'
import { DEFAULT_IMAGE } from '../src/names.ts'
import { hasEngine } from './engine.ts'
import { docker, type Lab, lab, sh, until } from './support.ts'

const GONE = `lab-${process.pid}-gone`

if (hasEngine) {
  describe('what amux left on a Docker engine', () => {
    let bench: Lab
    before(async function () {
      this.timeout(600_000)
      bench = await lab()
    })
    after(() => bench.end())

    const found = async (now?: number) => (await leftoversOf(new Client(), now)).filter(({ of }) => of === GONE || of.startsWith(`lab-${process.pid}-`))
    const marks = (role: string) => ['--label', `amux.docker.role=${role}`, '--label', `amux.docker.of=${GONE}`]

    it('is nothing of a computer that is there, running or without its container', async () => {
      const computer = await bench.create({ network: { policy: { rules: [{ domain: 'a.example', action: 'allow' }] } } })
      await computer.checkpoints.create()
      // An engine takes its time to remove a helper that has said all it had to say.
      await until('its helper is gone', async () => (await found()).length === 0)
      docker('rm', '-f', computer.name)
      expect(await found()).to.deep.equal([])
      await (await bench.provider.get(computer.name)).delete()
      expect(await found()).to.deep.equal([])
    })

    it('is found and removed, and nothing else', async () => {
      const computer = await bench.create()
      docker('run', '--name', `${GONE}-ended`, ...marks('aside'), DEFAULT_IMAGE, 'true')
      docker('create', '--name', `${GONE}-new`, ...marks('kit'), DEFAULT_IMAGE, 'true')
      docker('volume', 'create', ...marks('store'), `${GONE}-store`)
      // Checkpoints are nobody's rubbish.
      docker('volume', 'create', ...marks('vault'), `${GONE}-vault`)
      try {
        expect((await found()).map(({ name }) => name).toSorted()).to.deep.equal([`${GONE}-ended`, `${GONE}-store`])
        // What was made and never started may be about to be.
        const all = await found(Date.now() + 2 * 3_600_000)
        expect(all.map(({ name }) => name).toSorted()).to.deep.equal([`${GONE}-ended`, `${GONE}-new`, `${GONE}-store`])
        expect(await removeLeftovers(new Client(), all)).to.have.lengthOf(3)
        expect(await found(Date.now() + 2 * 3_600_000)).to.deep.equal([])
        expect(docker('ps', '-aq', '--filter', `name=${GONE}`) + docker('volume', 'ls', '-q', '--filter', `name=${GONE}`)).to.equal(`${GONE}-vault`)
        expect(await sh(computer, 'echo alive')).to.equal('alive')
      } finally {
        for (const name of ['ended', 'new']) docker('rm', '-f', `${GONE}-${name}`)
        docker('volume', 'rm', `${GONE}-vault`)
      }
    })
  })
}
