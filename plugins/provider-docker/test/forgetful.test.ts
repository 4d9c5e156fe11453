import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { engine, hasEngine } from './engine.ts'
import { type Guarded, guarded } from './refusing.ts'
import { docker, type Lab, lab, sh } from './support.ts'

if (hasEngine && process.env['DOCKER_HOST'] === undefined) {
  describe('a Docker computer whose engine forgets the labels of volumes, as Podman does', function () {
    this.timeout(180_000)
    let guard: Guarded
    let bench: Lab
    before(async () => {
      await engine()
      guard = await guarded('/var/run/docker.sock', true)
      bench = await lab(guard.host)
    })
    after(async () => {
      await bench?.end()
      await guard?.end()
    })

    it('has volumes that are known as its own, by which it is mended, and leaves none', async () => {
      const path = join(bench.dir, 'project')
      mkdirSync(path)
      const computer = await bench.create({ project: { path, name: 'project' } })
      const volumes = (name: string) => docker('volume', 'ls', '-q', '--filter', `name=amux.${name}.`).split('\n').filter(Boolean)
      const own = (name: string) => docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${name}`).split('\n').filter(Boolean)
      expect(own(computer.name)).to.have.members(['home', 'store', 'vault'].map((role) => `amux.${computer.name}.${role}`))
      await sh(computer, 'echo kept > ~/kept')
      const { id } = await computer.checkpoints.create()
      await computer.fork({ name: `${computer.name}-twin`, labels: {}, checkpoint: id })
      expect(own(`${computer.name}-twin`)).to.deep.equal(volumes(`${computer.name}-twin`))
      await (await bench.provider.get(`${computer.name}-twin`)).delete()
      await computer.delete()
      expect([...volumes(computer.name), ...volumes(`${computer.name}-twin`)]).to.deep.equal([])
    })
  })
}
