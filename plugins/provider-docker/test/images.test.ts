import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Equipped } from '../../../src/emulation/index.ts'
import { Client } from '../src/client.ts'
import { readMark } from '../src/disk/mark.ts'
import { mustLook, put } from '../src/engine/container.ts'
import { leftoversOf } from '../src/gc.ts'
import { inside } from '../src/names.ts'
import { commit, discardImages } from '../src/images/disks.ts'
import { connectDocker, engine, hasEngine } from './engine.ts'
import { type Guarded, guarded } from './refusing.ts'
import { docker, failure, type Lab, lab, sh, until } from './support.ts'

const SOCKET = '/var/run/docker.sock'

if (hasEngine && process.env['DOCKER_HOST'] === undefined) {
  describe('a Docker computer whose engine lets nothing look at it from outside', function () {
    this.timeout(180_000)
    let guard: Guarded
    let bench: Lab
    let computer: Equipped
    let project: string
    before(async function () {
      this.timeout(600_000)
      await engine()
      guard = await guarded(SOCKET)
      bench = await lab(guard.host)
      project = join(bench.dir, 'project')
      mkdirSync(project)
      writeFileSync(join(project, 'file'), 'first\n')
      computer = await bench.create({ project: { path: project, name: 'project' } })
    })
    after(async () => {
      await bench?.end()
      await guard?.end()
    })

    const root = (script: string) => sh(computer, script, { user: 'root' })
    const ours = () => docker('images', '-aq', '--filter', `label=amux.docker.of=${computer.name}`).split('\n').filter(Boolean)
    const containers = () => docker('ps', '-a', '--filter', `label=amux.docker.of=${computer.name}`, '--format', '{{.Names}}')
    const read = async (id: string, path: string) => {
      let text = ''
      for await (const chunk of computer.checkpoints.read(id, path)) text += Buffer.from(chunk).toString()
      return text
    }
    const differences = async (id: string) => {
      const found: string[] = []
      for await (const { path, change } of computer.checkpoints.diff(id)) found.push(`${change} ${path}`)
      return found
    }

    it('has checkpoints all the same: made, told apart, read and restored, running and stopped', async () => {
      await root('mkdir /opt/d && echo first > /opt/d/file && rm /usr/bin/tree; ln /opt/d/file /opt/d/other')
      await sh(computer, 'echo first > ~/file')
      const { id } = await computer.checkpoints.create()
      expect(guard.refused).to.have.lengthOf(1)
      await (await bench.provider.get(computer.name)).close?.()
      expect(ours()).to.deep.equal([])
      await root('echo second > /opt/d/file; rm /opt/d/other; echo x > /opt/more; ln -s nowhere /usr/bin/tree')
      await sh(computer, 'echo second > ~/file; rm file')
      expect(await differences(id)).to.include.members(['modified /opt/d/file', 'removed /opt/d/other', 'added /opt/more', 'added /usr/bin/tree', `removed ${project}/file`])
      expect((await differences(id)).filter((line) => !/ \/(opt|usr|home|root|tmp)\//.test(line))).to.deep.equal([])
      expect(await read(id, '/opt/d/file')).to.equal('first\n')
      expect(await read(id, '/etc/debian_version')).to.equal(`${await sh(computer, 'cat /etc/debian_version')}\n`)
      const before = docker('inspect', '-f', '{{.Id}} {{json .HostConfig.Mounts}}', computer.name).split(' ')
      const { safety } = await computer.checkpoints.restore(id)
      const now = docker('inspect', '-f', '{{.Id}} {{json .HostConfig.Mounts}}', computer.name).split(' ')
      expect(now[0]).not.to.equal(before[0])
      expect(now[1]).to.equal(before[1])
      const seen = 'cat /opt/d/file /opt/d/other ~/file; ls -A / /opt; stat -c %h /opt/d/file; ls /usr/bin | grep -cx tree; true'
      const first = await sh(computer, seen)
      expect(first).to.match(/^first\nfirst\nfirst\n/).and.match(/\n2\n0$/)
      expect(first).not.to.match(/\n(amux|store|kit|guest|processes|more)\n/)
      expect(readFileSync(join(project, 'file'), 'utf8')).to.equal('first\n')
      await computer.stop()
      await computer.checkpoints.restore(safety ?? '')
      await computer.start()
      expect(await sh(computer, 'cat /opt/d/file ~/file; ls /opt; readlink /usr/bin/tree')).to.equal('second\nsecond\nd\nmore\nnowhere')
      expect(containers()).to.equal(computer.name)
    })

    it('says so', async () => {
      const { checkpoints, network } = await computer.capabilities()
      expect(checkpoints.fidelity).to.equal('emulated')
      expect(checkpoints.note).to.match(/another container in the computer's place.*(authorization denied by plugin lab|that way before)/)
      expect(network.fidelity).to.equal('unavailable')
      expect(network.note).to.include('authorization denied by plugin lab')
      expect(await failure(computer.network.set({ rules: [{ domain: 'example.com', action: 'allow' }] }))).to.include({ code: 'unsupported' })
    })

    it('puts back one path alone, and nothing else', async () => {
      await root('echo one > /opt/one; echo two > /opt/two')
      const { id } = await computer.checkpoints.create()
      await root('echo later > /opt/one; echo later > /opt/two')
      await computer.checkpoints.restore(id, { paths: ['/opt/one'] })
      expect(await root('cat /opt/one /opt/two')).to.equal('one\nlater')
    })

    it('whose changed disk could not take its place gets it with the next start', async () => {
      await root('echo then > /opt/file; echo then > /root/file')
      const { id } = await computer.checkpoints.create()
      for (const line of [/POST .*\/commit.*repo=amux/, /POST .*\/containers\/create\?name=amux.*next/, /POST .*\/rename/]) {
        await root('echo now > /opt/file; echo now > /root/file')
        guard.breakNext(line, 500)
        await failure(computer.checkpoints.restore(id))
        expect((await leftoversOf(new Client(), Date.now() + 24 * 3_600_000)).filter(({ name }) => name.endsWith('.changed'))).to.deep.equal([])
        // Whoever comes first does it, or all wait for somebody.
        const starts = await Promise.allSettled([1, 2, 3].map(async () => (await bench.provider.get(computer.name)).start()))
        for (const one of starts) if (one.status === 'rejected') expect(one.reason).to.have.property('code').that.is.oneOf(['locked', 'conflict'])
        await computer.start()
        expect(await root('cat /opt/file /root/file'), String(line)).to.equal('then\nthen')
        expect(containers()).to.equal(computer.name)
      }
    })

    it('is not restored by two at once, nor started in the middle', async () => {
      await root('echo then > /opt/file')
      const { id } = await computer.checkpoints.create()
      await computer.stop()
      const outcomes = await Promise.allSettled([computer.checkpoints.restore(id), computer.checkpoints.restore(id), computer.start()])
      for (const one of outcomes) if (one.status === 'rejected') expect(one.reason).to.have.property('code').that.is.oneOf(['locked', 'conflict'])
      await computer.start()
      expect(await root('cat /opt/file')).to.equal('then')
      expect(containers()).to.equal(computer.name)
    })

    it('is whole again after the next start where that was ended in the middle', async () => {
      const all = (word: string) => root(`echo ${word} > /opt/file; for n in $(seq 3000); do echo ${word} > /root/n$n; done`)
      await all('then')
      const { id } = await computer.checkpoints.create()
      for (const ms of [30, 150, 250]) {
        await all('now')
        const outcome = computer.checkpoints.restore(id).then(() => 'done', () => 'ended')
        await until('it is at work', async () => /^amux.*changed$/m.test(docker('ps', '--filter', `label=amux.docker.of=${computer.name}`, '--format', '{{.Names}}')))
        await delay(ms)
        spawnSync('docker', ['kill', '-s', 'KILL', `amux.${computer.name}.changed`])
        const how = await outcome
        await computer.start()
        expect(await root('cat /opt/file; cat /root/n* | sort -u'), how).to.be.oneOf(how === 'done' ? ['then\nthen'] : ['then\nthen', 'now\nnow'])
        expect(containers()).to.equal(computer.name)
      }
      await root('rm /root/n*')
    })

    it('has an image of one layer for its disk where there would be more than an engine takes', async () => {
      const name = `${computer.name}-deep`
      writeFileSync(join(bench.dir, 'deep'), 'deep')
      execFileSync('tar', ['-C', bench.dir, '-cf', join(bench.dir, 'deep.tar'), 'deep'])
      const base = docker('import', '-c', 'ENV A="it is \\$5, \\"sure\\" a\\b"', '-c', `LABEL amux.docker.of=${name} amux.docker.role=disk x="y z"`, join(bench.dir, 'deep.tar'))
      const id = docker('create', base, '/none')
      docker('cp', join(bench.dir, 'deep'), `${id}:/more`)
      const client = new Client({ host: guard.host })
      const two = await commit(client, id, name, 'named')
      const flat = await commit(client, id, name, 'named', 1)
      const config = (image: string) => JSON.parse(docker('inspect', '-f', '{{json .Config}}', image)) as { readonly Labels: unknown; readonly Env: readonly string[] }
      expect(docker('inspect', '-f', '{{len .RootFS.Layers}}', two, flat)).to.equal('2\n1')
      expect(config(flat).Labels).to.deep.equal(config(two).Labels)
      expect(config(flat).Env).to.deep.equal(config(two).Env).and.include('A=it is $5, "sure" a\\b')
      docker('rm', id)
      const copy = docker('create', flat, '/none')
      docker('cp', `${copy}:/deep`, join(bench.dir, 'again'))
      expect(readFileSync(join(bench.dir, 'again'), 'utf8')).to.equal('deep')
      docker('rm', copy)
      await discardImages(client, name)
      expect(docker('images', '-aq', '--filter', `label=amux.docker.of=${name}`)).to.equal('')
    })

    it('is put back, too, where a worktree of its project is gone by then', async () => {
      const worktree = join(bench.dir, 'worktree')
      mkdirSync(worktree)
      const one = await bench.create({ project: { path: project, name: 'project', worktrees: [worktree] } })
      await sh(one, 'echo then > /opt/file; echo then > ~/file', { user: 'root' })
      const { id } = await one.checkpoints.create()
      await sh(one, 'echo now > /opt/file; echo now > ~/file', { user: 'root' })
      rmSync(worktree, { recursive: true })
      await one.checkpoints.restore(id)
      expect(await sh(one, 'cat /opt/file ~/file', { user: 'root' })).to.equal('then\nthen')
      await one.stop()
      // Here, where the engine cannot look into the container for want of what is mounted, it is seen all the same.
      const client = new Client()
      const again = await bench.create({ project: { path: project, name: 'project', worktrees: [bench.dir] } })
      mkdirSync(join(bench.dir, 'second'))
      const other = await bench.create({ project: { path: project, name: 'project', worktrees: [join(bench.dir, 'second')] } })
      await Promise.all([again.stop(), other.stop()])
      const { Id } = await mustLook(client, other.name)
      await put(client, Id, inside.store, [{ name: 'changing', mode: 0o600, content: '' }])
      rmSync(join(bench.dir, 'second'), { recursive: true })
      expect(await readMark(client, await mustLook(client, other.name))).to.equal('')
      expect(await readMark(client, await mustLook(client, again.name))).to.equal(undefined)
    })

    it('leaves a system alone that was kept another way, and says so before anything ends', async () => {
      const name = `${computer.name}-layer`
      const raw = await (await connectDocker(join(bench.dir, 'free'))).create({ name, labels: {} })
      const free = await bench.equip(raw)
      await sh(free, 'echo then | sudo tee /opt/file; echo then > ~/file')
      const { id } = await free.checkpoints.create()
      await sh(free, 'echo now | sudo tee /opt/file; echo now > ~/file')
      const session = await free.sessions.start(['sleep', '1000'])
      const bound = await bench.equip(await bench.provider.get(name))
      expect(await failure(bound.checkpoints.restore(id))).to.include({ code: 'unsupported' })
      expect((await free.sessions.get(session.session.id)).state.status).to.equal('running')
      await bound.checkpoints.restore(id, { paths: ['/home/amux/file'] })
      expect(await sh(bound, 'cat /opt/file ~/file')).to.equal('now\nthen')
      await free.close()
      await bound.close()
      await raw.delete()
    })

    it('is forked', async () => {
      await root('echo forked > /opt/file; rm -f /usr/bin/tree')
      writeFileSync(join(project, 'file'), 'first\n')
      const { id } = await computer.checkpoints.create()
      const name = `${computer.name}-fork`
      await computer.fork({ name, labels: {}, checkpoint: id })
      const fork = await bench.equip(await bench.provider.get(name))
      expect(await sh(fork, 'cat /opt/file; cat file; hostname; ls /usr/bin | grep -cx tree; true')).to.equal(`forked\nfirst\n${name}\n0`)
      await fork.close()
      await fork.delete()
    })

    it('sees its project where that has moved to', async () => {
      const to = join(bench.dir, 'moved')
      docker('stop', computer.name)
      renameSync(project, to)
      const raw = await bench.provider.get(computer.name)
      await raw.start({ project: { path: to, name: 'project' } })
      expect(await sh(await bench.equip(raw), 'pwd; cat file /opt/file')).to.equal(`${to}\nfirst\nforked`)
    })

    it('does not put amux\'s over what it has of its own', async () => {
      await root('mkdir /store')
      expect((await failure(computer.checkpoints.create())).message).to.include(`${computer.name} has something of its own at /store`)
      await root('rmdir /store')
      await computer.checkpoints.create()
    })

    it('is saved as a template, which is one, unlike its own image', async () => {
      const names = async () => (await bench.provider.templates?.list())?.map(({ name }) => name) ?? []
      await bench.provider.templates?.save?.(computer.name, 'amux-lab/saved')
      expect(await names()).to.include('amux-lab/saved:latest').and.not.include(`amux/disk:${computer.name}`)
      await bench.provider.templates?.remove('amux-lab/saved')
    })

    it('stays what it is on an engine that would let something look: a layer over another image is no way back', async () => {
      const free = await bench.equip(await (await connectDocker(join(bench.dir, 'free'))).get(computer.name))
      await sh(free, 'echo then > /opt/file; echo then > /opt/base', { user: 'root' })
      const { id } = await free.checkpoints.create()
      await sh(free, 'echo now > /opt/file; rm /opt/base', { user: 'root' })
      await free.checkpoints.restore(id)
      expect(await sh(free, 'cat /opt/file /opt/base')).to.equal('then\nthen')
      expect((await free.capabilities()).checkpoints.note).to.include('restored that way before')
      await free.close()
    })

    it('leaves nothing when it goes', async () => {
      await computer.close()
      await computer.delete()
      expect(containers()).to.equal('')
      expect(ours()).to.deep.equal([])
      expect((await leftoversOf(new Client(), Date.now() + 24 * 3_600_000)).filter(({ of }) => of.startsWith(computer.name))).to.deep.equal([])
    })
  })
}
