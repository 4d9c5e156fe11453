import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import type { Equipped } from '../../../src/emulation/index.ts'
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

    it('its policy stays in force without what kept it: another one does, or it does not start', async () => {
      const computer = await bench.create({ network: { policy: { rules: [{ domain: 'allowed.example', action: 'allow' }] } } })
      const denied = async (one: Equipped) => (await attempt(one, 'getent hosts denied.example')).exit
      const restarted = async () => {
        docker('rm', '-f', `amux.${computer.name}.net`)
        docker('stop', '-t', '0', computer.name)
        const raw = await bench.provider.get(computer.name)
        await raw.start()
        return bench.equip(raw)
      }
      const again = await restarted()
      expect(docker('inspect', '-f', '{{.State.Running}}', `amux.${computer.name}.net`)).to.equal('true')
      expect(await denied(again)).not.to.deep.equal({ code: 0 })
      expect((await again.network.get()).rules).to.have.lengthOf(1)
      docker('rm', '-f', `amux.${computer.name}.net`)
      docker('stop', '-t', '0', computer.name)
      docker('volume', 'rm', `amux.${computer.name}.vault`)
      const without = await failure((await bench.provider.get(computer.name)).start())
      expect(without).to.include({ code: 'failed' })
      expect(without.message).to.include(`amux.${computer.name}.vault is gone`)
    })

    it('what has a name that amux would use, and is somebody else\'s, is neither used nor removed', async () => {
      const computer = await bench.create()
      const net = `amux.${computer.name}.net`
      docker('create', '--name', net, DEFAULT_IMAGE, 'sleep', '1')
      try {
        const refused = await failure(computer.network.set({ rules: [{ domain: 'a.example', action: 'allow' }] }))
        expect(refused).to.include({ code: 'conflict' })
        expect(refused.message).to.include(`a container ${net} that amux did not make`)
        await computer.delete()
        expect(docker('ps', '-a', '--filter', `name=^${net}$`, '--format', '{{.Names}}')).to.equal(net)
      } finally {
        docker('rm', '-f', net)
      }
      const name = `lab-${process.pid}-volume`
      for (const role of ['home', 'store', 'vault']) {
        docker('volume', 'create', `amux.${name}.${role}`)
        expect((await failure(bench.create({ name }))).message).to.include(`a volume amux.${name}.${role} that amux did not make`)
        docker('volume', 'rm', `amux.${name}.${role}`)
      }
    })

    it('under another name it is nobody, and under its own it says which', async () => {
      const computer = await bench.create()
      const { name } = computer
      docker('rename', name, `${name}-other`)
      const hint = `docker rename ${name}-other ${name}`
      expect(await failure(bench.provider.get(`${name}-other`))).to.include({ code: 'not_found' })
      expect((await computer.info()).problem).to.include(hint)
      for await (const info of bench.provider.list()) if (info.name === name) expect(info.problem).to.include(hint)
      docker('rename', `${name}-other`, name)
      expect((await computer.info()).state).to.equal('running')
    })

    it('with another container in its place it is broken, and is removed without that', async () => {
      const { name } = await bench.create()
      docker('rm', '-f', name)
      docker('run', '-d', '--name', name, DEFAULT_IMAGE, 'sleep', '1000')
      try {
        const raw = await bench.provider.get(name)
        expect(await raw.info()).to.include({ state: 'broken' })
        expect((await raw.info()).problem).to.include('which amux did not make')
        await raw.delete()
        expect(docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${name}`)).to.equal('')
        expect(docker('inspect', '-f', '{{.State.Running}}', name)).to.equal('true')
      } finally {
        docker('rm', '-f', name)
      }
    })

    it('without its home and its container, what is left is amux\'s, and goes with it', async () => {
      const { name } = await bench.create()
      docker('rm', '-f', name)
      docker('volume', 'rm', `amux.${name}.home`)
      const raw = await bench.provider.get(name)
      expect((await raw.info()).labels).to.have.property('amux.project')
      await raw.delete()
      expect(docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${name}`)).to.equal('')
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
        expect((await failure(templates?.remove(name ?? '') ?? Promise.resolve())).message).to.equal(`${name} is what ${other.name} was made from`)
        await other.delete()
      } finally {
        await templates?.remove(name ?? '')
      }
      expect(await failure(templates?.remove(name ?? '') ?? Promise.resolve())).to.include({ code: 'not_found' })
      expect(await failure(templates?.remove('debian-that-is-not-there') ?? Promise.resolve())).to.include({ code: 'not_found' })
    })
  })
}
