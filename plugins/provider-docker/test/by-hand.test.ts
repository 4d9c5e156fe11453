import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { DEFAULT_IMAGE } from '../src/names.ts'
import { hasEngine } from './engine.ts'
import { attempt, docker, failure, type Lab, lab, sh, until } from './support.ts'

if (hasEngine) {
  describe('Docker computers and those who use docker by hand', () => {
    let bench: Lab
    before(async function () {
      this.timeout(600_000)
      bench = await lab()
    })
    afterEach(() => bench.end().then(async () => (bench = await lab())))
    after(() => bench.end())

    it('a container that amux did not make is nobody here, and stays as it is', async () => {
      const name = `lab-${process.pid}-foreign`
      docker('run', '-d', '--name', name, DEFAULT_IMAGE, 'sleep', '1000')
      try {
        expect(await failure(bench.provider.get(name))).to.include({ code: 'not_found' })
        const { code, message } = await failure(bench.create({ name }))
        expect(code).to.equal('conflict')
        expect(message).to.include('that amux did not make')
        for await (const info of bench.provider.list()) expect(info.name).not.to.equal(name)
        expect(docker('inspect', '-f', '{{.State.Running}}', name)).to.equal('true')
      } finally {
        docker('rm', '-f', name)
      }
    })

    it('stopped and started by docker it goes on, its sessions said to have ended', async () => {
      const computer = await bench.create()
      await sh(computer, 'echo kept > ~/file')
      const session = await computer.sessions.start(['sleep', '1000'], { detached: true })
      docker('stop', computer.name)
      expect((await computer.info()).state).to.equal('stopped')
      docker('start', computer.name)
      const again = await bench.equip(await bench.provider.get(computer.name))
      expect(await sh(again, 'cat ~/file')).to.equal('kept')
      expect((await again.sessions.get(session.session.id)).state).to.include({ status: 'ended', reason: 'stopped' })
    })

    it('started by docker it runs nothing of amux until its policy is in force', async () => {
      const computer = await bench.create({ network: { policy: { rules: [{ domain: 'allowed.example', action: 'allow' }] } } })
      await computer.services.set('beat', { argv: ['sh', '-c', 'while :; do date >> /tmp/beats; sleep 0.1; done'] })
      await until('the service runs', async () => (await attempt(computer, 'test -s /tmp/beats')).exit.code === 0)
      docker('stop', computer.name)
      docker('start', computer.name)
      const before = docker('exec', computer.name, 'sh', '-c', 'wc -l < /tmp/beats; sleep 1; wc -l < /tmp/beats').split('\n')
      expect(before[1]).to.equal(before[0])
      expect(docker('inspect', '-f', '{{.State.Running}}', `amux.${computer.name}.net`)).to.equal('false')
      const again = await bench.equip(await bench.provider.get(computer.name))
      expect((await attempt(again, 'getent hosts denied.example')).exit).not.to.deep.equal({ code: 0 })
      expect(docker('inspect', '-f', '{{.State.Running}}', `amux.${computer.name}.net`)).to.equal('true')
      await until('the service runs again', async () => Number(await sh(again, 'wc -l < /tmp/beats')) > Number(before[0]))
    })

    it('paused it sleeps, and a start wakes it', async () => {
      const computer = await bench.create()
      docker('pause', computer.name)
      const raw = await bench.provider.get(computer.name)
      expect((await raw.info()).state).to.equal('hibernating')
      expect(await failure(raw.spawn(['true']))).to.include({ code: 'not_running' })
      await raw.start()
      expect(await sh(await bench.equip(raw), 'echo awake')).to.equal('awake')
    })

    it('without its container it is broken, listed, and still removed whole', async () => {
      const computer = await bench.create()
      docker('rm', '-f', computer.name)
      const raw = await bench.provider.get(computer.name)
      const { state, problem } = await raw.info()
      expect(state).to.equal('broken')
      expect(problem).to.include('its home, its sessions and its checkpoints are still there').and.include(`amux docker mend -c ${computer.name}`)
      expect(await failure(raw.start())).to.include({ code: 'failed' })
      expect(await failure(bench.create({ name: computer.name }))).to.include({ code: 'already_exists' })
      const names: string[] = []
      for await (const info of bench.provider.list()) names.push(info.name)
      expect(names).to.include(computer.name)
      await raw.delete()
      expect(docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${computer.name}`)).to.equal('')
      expect(await failure(bench.provider.get(computer.name))).to.include({ code: 'not_found' })
    })

    it('nothing secret is in what docker shows of it', async () => {
      const computer = await bench.create({ env: { TOKEN: 'very-secret-value' } })
      expect(await sh(computer, 'echo $TOKEN')).to.equal('very-secret-value')
      expect(docker('inspect', computer.name)).not.to.include('very-secret-value')
      expect(docker('top', computer.name)).not.to.include('very-secret-value')
    })

    it('the template that a computer is saved as has its system, and nothing of its own', async () => {
      const computer = await bench.create({ env: { TOKEN: 'very-secret-value' } })
      await sh(computer, 'sudo sh -c "echo tool > /usr/local/bin/tool" && echo mine > ~/mine')
      const templates = bench.provider.templates
      const { name } = (await templates?.save(computer.name, `amux-lab/saved-${process.pid}`)) ?? {}
      try {
        expect(await failure(templates?.save(computer.name, name ?? '') ?? Promise.resolve())).to.include({ code: 'already_exists' })
        expect((await templates?.list())?.map((one) => one.name)).to.include(name)
        const other = await bench.create({ template: name ?? '' })
        expect(await sh(other, 'cat /usr/local/bin/tool; ls ~/mine 2>/dev/null; echo ${TOKEN:-none}')).to.equal('tool\nnone')
        expect((await other.info()).labels).to.deep.equal({ 'amux-lab': String(process.pid) })
        await other.delete()
      } finally {
        await templates?.remove(name ?? '')
      }
      expect(await failure(templates?.remove(name ?? '') ?? Promise.resolve())).to.include({ code: 'not_found' })
      expect(await failure(templates?.remove('debian-that-is-not-there') ?? Promise.resolve())).to.include({ code: 'not_found' })
    })
  })
}
