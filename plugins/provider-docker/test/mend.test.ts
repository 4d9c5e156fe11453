import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { join } from 'node:path'
import { Client } from '../src/client.ts'
import { mend } from '../src/create/mend.ts'
import { marks } from '../src/meta.ts'
import { DEFAULT_IMAGE, mendingOf } from '../src/names.ts'
import { hasEngine } from './engine.ts'
import { docker, failure, type Lab, lab, sh } from './support.ts'

if (hasEngine) {
  describe('a Docker computer whose container was removed by hand', function () {
    this.timeout(120_000)
    let bench: Lab
    before(async () => void (bench = await lab()))
    after(() => bench.end())

    const mended = async (name: string) => {
      await mend(new Client(), join(bench.dir, 'data'), name)
      const raw = await bench.provider.get(name)
      await raw.start()
      return bench.equip(raw)
    }

    it('gets another one, with its home, its environment, its policy and its checkpoints, which bring its system back', async () => {
      const one = await bench.create({ env: { WORD: 'given' }, network: { policy: { rules: [{ domain: 'a.example', action: 'allow' }] } } })
      await sh(one, 'echo kept > ~/file; echo mine >> ~/.profile; sudo touch /opt/system')
      const { id } = await one.checkpoints.create()
      await one.close()
      docker('rm', '-f', one.name)
      const again = await mended(one.name)
      expect(await sh(again, 'cat ~/file; tail -n 1 ~/.profile; ls /opt; echo $WORD; id -un; sudo id -un; hostname')).to.equal(`kept\nmine\ngiven\namux\nroot\n${one.name}`)
      expect((await again.network.get()).rules).to.deep.equal([{ domain: 'a.example', action: 'allow' }])
      await again.checkpoints.restore(id)
      expect(await sh(again, 'cat ~/file; ls /opt')).to.equal('kept\nsystem')
      await again.delete()
    })

    it('gets it with a home alone, and is no creation that was cut short meanwhile', async () => {
      const one = await bench.create()
      const { name } = one
      await sh(one, 'echo kept > ~/file')
      await one.close()
      docker('rm', '-f', name)
      docker('volume', 'rm', `amux.${name}.vault`, `amux.${name}.store`)
      // As far as somebody got who was killed over it.
      for (const role of ['vault', 'store']) {
        docker('volume', 'create', ...Object.entries(marks(name, role)).flatMap(([key, value]) => ['--label', `${key}=${value}`]), `amux.${name}.${role}`)
        expect(await failure(bench.create({ name }))).to.include({ code: 'already_exists' })
      }
      docker('volume', 'rm', `amux.${name}.store`)
      const again = await mended(name)
      expect(await sh(again, 'cat ~/file')).to.equal('kept')
      expect((await again.checkpoints.create()).id).to.equal('v1')
      await again.delete()
    })

    it('gets it where an amux was killed over that', async () => {
      const one = await bench.create()
      const { name } = one
      await sh(one, 'echo kept > ~/file')
      await one.close()
      // As far as it got: made, and nothing in it.
      docker('rename', name, mendingOf(name))
      docker('stop', '-t', '1', mendingOf(name))
      expect((await (await bench.provider.get(name)).info()).state).to.equal('broken')
      const listed = []
      for await (const info of bench.provider.list()) if (info.name === name) listed.push(info.state)
      expect(listed).to.deep.equal(['broken'])
      const again = await mended(name)
      expect(await sh(again, 'cat ~/file')).to.equal('kept')
      expect(docker('ps', '-aq', '--filter', `name=${mendingOf(name)}`)).to.equal('')
      await again.delete()
    })

    it('gets none where there is one, by whatever name, and where nothing says what it was', async () => {
      const one = await bench.create()
      const { name } = one
      expect(await failure(mend(new Client(), join(bench.dir, 'data'), name))).to.include({ code: 'conflict' })
      docker('rename', name, `${name}-other`)
      expect(await failure(mend(new Client(), join(bench.dir, 'data'), name))).to.include({ code: 'conflict', hint: `Rename it: docker rename ${name}-other ${name}` })
      docker('rm', '-f', `${name}-other`)
      docker('create', '--name', name, DEFAULT_IMAGE, 'true')
      expect(await failure(mend(new Client(), join(bench.dir, 'data'), name))).to.include({ code: 'conflict' })
      docker('rm', name)
      docker('volume', 'rm', `amux.${name}.home`)
      expect(await failure(mend(new Client(), join(bench.dir, 'data'), name))).to.include({ code: 'failed' })
      await (await bench.provider.get(name)).delete()
      expect(await failure(mend(new Client(), join(bench.dir, 'data'), name))).to.include({ code: 'not_found' })
    })
  })
}
