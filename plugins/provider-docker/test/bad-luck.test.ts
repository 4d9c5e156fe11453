import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { finish } from '../../provider-local/test/support.ts'
import type { Equipped } from '../../../src/emulation/index.ts'
import { Client } from '../src/client.ts'
import { leftoversOf } from '../src/gc.ts'
import { DEFAULT_IMAGE, inside, LABEL } from '../src/names.ts'
import { hasEngine } from './engine.ts'
import { attempt, docker, failure, type Lab, lab, sh, until } from './support.ts'

/** What two commands that meet may say. */
const MET = ['conflict', 'locked', 'not_running', 'not_found', 'already_exists', 'unavailable', 'connection_lost']

if (hasEngine) {
  describe('a Docker computer\'s bad luck', function () {
    this.timeout(240_000)
    let bench: Lab
    let computer: Equipped
    before(async function () {
      bench = await lab()
      computer = await bench.create()
    })
    after(() => bench.end())

    const left = async (name: string) => (await leftoversOf(new Client())).filter(({ of }) => of === name)

    it('renamed by hand it is broken, not made anew, and its own again when it is renamed back', async () => {
      const { name } = computer
      docker('rename', name, `${name}-other`)
      try {
        const raw = await bench.provider.get(name)
        expect((await raw.info()).state).to.equal('broken')
        expect(await failure(raw.start())).to.include({ code: 'failed' })
        expect(await failure(bench.create({ name }))).to.include({ code: 'already_exists' })
      } finally {
        docker('rename', `${name}-other`, name)
      }
      expect(await sh(computer, 'echo here')).to.equal('here')
    })

    it('without its vault it runs on, and says that its checkpoints are gone instead of beginning with none', async () => {
      const one = await bench.create()
      await one.checkpoints.create()
      const vault = `amux.${one.name}.vault`
      await until('no helper holds it', async () => attemptDocker('volume', 'rm', vault))
      const lost = await failure(one.checkpoints.list())
      expect(lost).to.include({ code: 'failed' }).and.property('message').include(`the volume ${vault} is gone`)
      expect(await failure(one.checkpoints.create())).to.include({ code: 'failed' })
      expect(docker('volume', 'ls', '-q', '--filter', `name=${vault}`)).to.equal('')
      expect(await sh(one, 'echo here')).to.equal('here')
      execFileSync('sh', ['-c', (lost.hint ?? '').replace(/^[^:]*: /, '')])
      expect((await one.checkpoints.create()).id).to.equal('v1')
      await one.delete()
    })

    it('without its container it says which of its volumes are there', async () => {
      const one = await bench.create()
      await one.close()
      docker('rm', '-f', one.name)
      docker('volume', 'rm', `amux.${one.name}.home`)
      const raw = await bench.provider.get(one.name)
      expect((await raw.info()).problem).to.include('its home, too').and.include('its checkpoints')
      expect(await failure(bench.create({ name: one.name }))).to.include({ code: 'already_exists' })
      await raw.delete()
      expect(docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${one.name}`)).to.equal('')
    })

    it('while everything in it writes at full speed, a checkpoint is a state that was: nothing renamed is half there', async () => {
      const script = 'mkdir -p ~/w; cd ~/w; n=0; while :; do n=$((n+1)); echo $n $n $n $n > new; mv new whole; echo $n >> log; done'
      const session = await computer.sessions.start(['sh', '-c', script], { detached: true })
      await until('it writes', async () => (await attempt(computer, 'test -s ~/w/whole')).exit.code === 0)
      const ids = [(await computer.checkpoints.create()).id, (await computer.checkpoints.create()).id]
      await computer.sessions.kill(session.session.id)
      for (const id of ids) {
        await computer.checkpoints.restore(id)
        const [whole = '', last = ''] = (await sh(computer, 'cat ~/w/whole; tail -n 1 ~/w/log')).split('\n')
        const [a, ...others] = whole.split(' ')
        expect(others, whole).to.deep.equal([a, a, a])
        expect(Number(a) - Number(last)).to.be.oneOf([0, 1])
      }
    })

    it('with /bin and the loader destroyed, what is alive runs without the guest, and a restore repairs it', async () => {
      const { id } = await computer.checkpoints.create()
      await sh(computer, 'sudo mv /usr/bin /usr/bin-gone; true').catch(() => undefined)
      const init = docker('exec', computer.name, '/usr/bin-gone/find', inside.kit, '-name', 'amux-init').split('\n')[0] ?? ''
      docker('exec', '-u', '0', computer.name, '/usr/bin-gone/rm', '-rf', '/lib64')
      await computer.stop()
      const raw = await bench.provider.get(computer.name)
      await raw.start()
      const again = await bench.equip(raw)
      expect(await failure(again.sessions.list())).to.include({ code: 'tool_missing' })
      expect((await finish(await again.spawn([init]))).exit).to.deep.equal({ code: 2 })
      expect(await failure(again.spawn(['/bin/ls']))).to.include({ code: 'program_not_found' })
      await again.checkpoints.restore(id)
      expect(await sh(await bench.equip(await bench.provider.get(computer.name)), 'ls /usr/bin/find')).to.equal('/usr/bin/find')
    })

    it('without its image it starts and is restored all the same', async () => {
      const image = `amux-lab/gone-${process.pid}:latest`
      execFileSync('docker', ['build', '-q', '-t', image, '-'], { input: `FROM ${DEFAULT_IMAGE}\nLABEL only=${image}\n`, stdio: ['pipe', 'ignore', 'ignore'] })
      const one = await bench.create({ options: { image } })
      await sh(one, 'echo then > ~/file')
      const { id } = await one.checkpoints.create()
      await sh(one, 'echo now > ~/file')
      await one.stop()
      docker('rmi', '-f', image)
      await one.start()
      await one.checkpoints.restore(id)
      expect(await sh(one, 'cat ~/file')).to.equal('then')
      await one.delete()
      expect(await left(one.name)).to.deep.equal([])
    })

    it('volumes alone: those of a creation that was cut short are made anew, those of a computer never', async () => {
      const one = await bench.create()
      const { name } = one
      await sh(one, 'echo kept > ~/file')
      const volumes = (['store', 'home'] as const).map((role) => {
        const labels = JSON.parse(docker('volume', 'inspect', '-f', '{{json .Labels}}', `amux.${name}.${role}`)) as Record<string, string>
        return { role, labels }
      })
      await one.close()
      docker('rm', '-f', name)
      docker('volume', 'rm', `amux.${name}.vault`)
      expect(await failure(bench.create({ name }))).to.include({ code: 'already_exists' })
      expect(docker('run', '--rm', '-v', `amux.${name}.home:/home/amux`, DEFAULT_IMAGE, 'cat', '/home/amux/file')).to.equal('kept')
      docker('volume', 'rm', `amux.${name}.store`, `amux.${name}.home`)
      const begin = (maker: string) => {
        for (const { role, labels } of volumes) docker('volume', 'create', ...Object.entries({ ...labels, ...(role === 'home' && { [LABEL.maker]: maker }) }).flatMap(([key, value]) => ['--label', `${key}=${value}`]), `amux.${name}.${role}`)
      }
      const made = volumes[1]?.labels[LABEL.maker] ?? expect.fail('nobody made it')
      // Process 1 lives, and so might a process of another machine.
      const init = readFileSync('/proc/1/stat', 'utf8').split(') ')[1]?.split(' ')[19]
      for (const living of [[made.split(' ')[0], '1', init].join(' '), `another ${made.split(' ').slice(1).join(' ')}`]) {
        begin(living)
        expect(await failure(bench.create({ name })), living).to.include({ code: 'locked' })
        docker('volume', 'rm', `amux.${name}.store`, `amux.${name}.home`)
      }
      begin(made)
      const again = await bench.create({ name })
      expect(await sh(again, 'ls ~; id -un')).to.equal('amux')
      await again.delete()
      expect(await left(name)).to.deep.equal([])
    })

    it('an image that declares whatever an image can is a computer like any other', async () => {
      const image = `amux-lab/odd-${process.pid}:latest`
      const lines = ['USER 4711:4712', 'ENTRYPOINT ["/bin/false"]', 'CMD ["x"]', 'HEALTHCHECK --interval=1s CMD false', 'VOLUME /data /home/amux/cache', 'STOPSIGNAL SIGKILL', 'ENV PATH=/nowhere HOME=/nowhere', 'WORKDIR /not/there', 'EXPOSE 1']
      execFileSync('docker', ['build', '-q', '-t', image, '-'], { input: [`FROM ${DEFAULT_IMAGE}`, 'RUN rm -f /etc/passwd /etc/group /etc/shadow && chmod 0500 /tmp', ...lines, ''].join('\n'), stdio: ['pipe', 'ignore', 'inherit'] })
      try {
        const one = await bench.create({ options: { image } })
        expect((await finish(await one.spawn(['/usr/bin/id', '-un']))).stdout.trim()).to.equal('amux')
        expect((await finish(await one.spawn(['/bin/sh', '-c', 'cd; pwd; echo x > /home/amux/file && /bin/cat /home/amux/file']))).stdout).to.equal('/home/amux\nx\n')
        const { id } = await one.checkpoints.create()
        await one.checkpoints.restore(id)
        await one.stop()
        await one.start()
        await one.delete()
        expect(await left(one.name)).to.deep.equal([])
      } finally {
        docker('rmi', '-f', image)
      }
    })

    it('its clock is the machine\'s: nobody on it sets that', async () => {
      expect((await attempt(computer, 'sudo date -s @1000000000')).exit).not.to.deep.equal({ code: 0 })
      expect(Math.abs(Number(await sh(computer, 'date +%s')) - Date.now() / 1000)).to.be.lessThan(60)
    })

    it('two amux at once each come to an end that has a name, and leave one computer that works', async () => {
      const mine = await bench.create()
      const theirs = await bench.equip(await bench.provider.get(mine.name))
      await sh(mine, 'echo kept > ~/file')
      const { id } = await mine.checkpoints.create()
      const pairs: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
        ['start, stop', () => mine.start(), () => theirs.stop()],
        ['start, start', () => mine.start(), () => theirs.start()],
        ['checkpoint, checkpoint', () => mine.checkpoints.create(), () => theirs.checkpoints.create()],
        ['checkpoint, restore', () => mine.checkpoints.create(), () => theirs.checkpoints.restore(id)],
        ['checkpoint, stop', () => mine.checkpoints.create(), () => theirs.stop()],
        ['restore, start', () => mine.checkpoints.restore(id), () => theirs.start()],
        ['restore, restore', () => mine.checkpoints.restore(id), () => theirs.checkpoints.restore(id)],
        ['restore, stop', () => mine.checkpoints.restore(id), () => theirs.stop()],
      ]
      for (const [what, one, other] of pairs) {
        for (const result of await Promise.allSettled([one(), other()])) {
          if (result.status === 'rejected') expect((result.reason as { code?: string }).code, `${what}: ${String(result.reason)}`).to.be.oneOf(MET)
        }
        await mine.start()
        expect(await sh(mine, 'cat ~/file'), what).to.equal('kept')
      }
      const removed = await Promise.allSettled([mine.delete(), theirs.delete(), bench.create({ name: mine.name })])
      for (const result of removed) if (result.status === 'rejected') expect((result.reason as { code?: string }).code, String(result.reason)).to.be.oneOf(MET)
      await (await bench.provider.get(mine.name).catch(() => undefined))?.delete()
      await until('all of it is gone', async () => docker('ps', '-aq', '--filter', `label=amux.docker.of=${mine.name}`) === '')
      expect(await left(mine.name)).to.deep.equal([])
    })

    it('130 checkpoints in a row have ids in a row, and leave no container behind', async () => {
      const before = await computer.checkpoints.list()
      const first = await computer.checkpoints.create()
      const from = Number(first.id.slice(1))
      for (let n = 1; n < ROW; n++) {
        if (n % 10 === 0) await computer.checkpoints.create({ automatic: true })
        expect((await computer.checkpoints.create()).id).to.equal(`v${from + n}`)
      }
      const points = await computer.checkpoints.list()
      expect(points.filter(({ kind }) => kind === 'manual')).to.have.lengthOf(before.filter(({ kind }) => kind === 'manual').length + ROW)
      expect(points.filter(({ kind }) => kind !== 'manual').length).to.be.at.most(11)
      await until('its helpers are gone', async () => docker('ps', '-aq', '--filter', `label=amux.docker.of=${computer.name}`).split('\n').length === 1)
      expect(await left(computer.name)).to.deep.equal([])
    })
  })
}

/** All 130 take minutes on a slow machine: `AMUX_LONG=1` asks for them. */
const ROW = process.env['AMUX_LONG'] === undefined ? 12 : 130

function attemptDocker(...args: readonly string[]): boolean {
  try {
    docker(...args)
    return true
  } catch {
    return false
  }
}
