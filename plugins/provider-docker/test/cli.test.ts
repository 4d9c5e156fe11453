import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { kit } from '../../provider-local/test/support.ts'
import type { Scratch } from '../../../test/support/amux.ts'
import { scratchWith } from '../../../test/support/plugins.ts'
import { engine, hasEngine } from './engine.ts'
import { docker, until } from './support.ts'

const IMAGE = `amux-lab/bare-cli-${process.pid}:latest`

if (hasEngine) {
  describe('amux where a Docker computer cannot run its guest', function () {
    this.timeout(240_000)
    let amux: Scratch
    let dir: string
    before(async () => {
      await engine()
      amux = await scratchWith('docker')
      dir = mkdtempSync(join(tmpdir(), 'amux-bare-'))
      mkdirSync(join(dir, 'bare'))
      copyFileSync(await (await kit()).init(arch()), join(dir, 'bare/prog'))
      execFileSync('tar', ['-C', join(dir, 'bare'), '-cf', join(dir, 'tar'), '.'])
      docker('import', join(dir, 'tar'), IMAGE)
      const { status, stderr } = await amux.run(['computer', 'create', '-P', 'docker', '-o', `image=${IMAGE}`])
      expect(status, stderr).to.equal(0)
    })
    after(async () => {
      await amux.run(['computer', 'rm', '--yes'])
      await amux.dispose()
      rmSync(dir, { recursive: true, force: true })
      docker('rmi', '-f', IMAGE)
    })

    const said = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('amux:'))

    it('runs it by the engine, and says so once, on standard error', async () => {
      const { status, stdout, stderr } = await amux.run(['computer', 'exec', '--', '/prog'])
      expect(status, stderr).to.equal(2)
      expect(stdout).to.equal('')
      expect(said(stderr)).to.have.lengthOf(1)
      expect(said(stderr)[0]).to.include('no Node 22.12 or newer').and.include('ends with this command')
    })

    it('says it every time, with --json too, and not with -q', async () => {
      expect(said((await amux.run(['computer', 'exec', '--json', '--', '/prog'])).stderr)).to.have.lengthOf(1)
      const quiet = await amux.run(['computer', 'exec', '-q', '--', '/prog'])
      expect(quiet.status).to.equal(2)
      expect(said(quiet.stderr)).to.deep.equal([])
    })

    it('leaves nothing running that nobody could come back to', async () => {
      const { status, stderr } = await amux.run(['computer', 'exec', '-d', '--', '/prog'])
      expect(status).to.equal(125)
      expect(stderr).to.include('no Node 22.12 or newer')
      const missing = await amux.run(['computer', 'exec', '--', '/none'])
      expect(missing.status).to.equal(127)
    })
  })

  describe('amux and a Docker computer that is paused by hand', function () {
    this.timeout(120_000)
    let amux: Scratch
    let name: string
    before(async () => {
      await engine()
      amux = await scratchWith('docker')
      const { status, stdout, stderr } = await amux.run(['computer', 'create', '-P', 'docker', '--cpus', '1.5', '--memory', '512m'])
      expect(status, stderr).to.equal(0)
      name = stdout.trim()
    })
    after(async () => {
      await amux.run(['computer', 'rm', '--yes'])
      await amux.dispose()
    })

    it('is held to what its flags say', async () => {
      expect(docker('inspect', '-f', '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}', name)).to.equal('1500000000 536870912')
      const elsewhere = await amux.run(['computer', 'create', '-P', 'local', '--cpus', '2'])
      expect(elsewhere.status).to.equal(4)
      expect(elsewhere.stderr).to.include('provider local has no option "cpus"')
    })

    it('a program wakes it, and is run once', async () => {
      const line = 'echo one >> /tmp/runs; echo awake'
      for (const [n, how] of [['--shell'], ['-d', '--shell'], ['--no-tty', '--shell']].entries()) {
        docker('pause', name)
        const { status, stdout, stderr } = await amux.run(['computer', 'exec', ...how, '--', line])
        expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
        if (how[0] !== '-d') expect(stdout).to.equal('awake\n')
        await until('it ran once', async () => docker('exec', name, 'cat', '/tmp/runs').split('\n').length === n + 1)
      }
    })

    it('so does whoever looks at its files', async () => {
      docker('pause', name)
      const { status, stdout, stderr } = await amux.run(['computer', 'fs', 'ls', '-q', '/tmp'])
      expect(status, stderr).to.equal(0)
      expect(stdout).to.include('runs')
    })

    it('and whoever copies, at once the next time', async () => {
      for (const [n, target] of [':/tmp/copied', ':/tmp/again'].entries()) {
        if (n === 0) docker('pause', name)
        const { status, stderr } = await amux.run(['computer', 'cp', '/etc/hostname', target])
        expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      }
      expect(docker('exec', name, 'cat', '/tmp/copied', '/tmp/again')).to.equal(`${readFileSync('/etc/hostname', 'utf8').trim()}\n`.repeat(2).trim())
    })

    it('a program that runs goes on with it', async () => {
      const running = amux.run(['computer', 'exec', '--shell', '--', 'sleep 1; echo end'])
      await until('it runs', async () => docker('exec', name, 'ps', '-eo', 'args').includes('sleep 1'))
      docker('pause', name)
      await delay(3000)
      docker('unpause', name)
      expect(await running).to.include({ status: 0, stdout: 'end\n' })
    })

    it('a program that was given up meanwhile does not run later', async () => {
      docker('pause', name)
      const { status } = await amux.run(['computer', 'exec', '--timeout', '500ms', '--', 'touch', '/tmp/ghost'])
      expect(status).to.equal(124)
      docker('unpause', name)
      await delay(500)
      expect((await amux.run(['computer', 'exec', '--', 'ls', '/tmp/ghost'])).status).to.equal(2)
    })

    it('a restore wakes it, too', async () => {
      expect((await amux.run(['computer', 'checkpoint', 'create'])).status).to.equal(0)
      docker('pause', name)
      const { status, stdout, stderr } = await amux.run(['computer', 'checkpoint', 'restore', 'v1', '--yes'])
      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(/is (restored to|as it was at) v1/)
    })

    it('is never another project\'s, though that wanted the name and could not ask for it', async () => {
      const other = await scratchWith('docker')
      const want = () => other.run(['computer', 'create', '-P', 'docker', '--name', name], { env: { DOCKER_HOST: 'tcp://127.0.0.1:1' } })
      try {
        expect((await want()).status).to.equal(7)
        const again = await other.run(['computer', 'create', '-P', 'docker'])
        expect(again.status, again.stderr).to.equal(6)
        expect(again.stderr).to.include(`there is another computer named ${name}`)
        expect((await want()).status).to.equal(7)
        expect((await other.run(['computer', 'rm', name, '-P', 'docker', '--yes'])).stdout).to.equal(`${name} on docker is another project's: forgotten\n`)
        expect(docker('inspect', '-f', '{{.State.Running}}', name)).to.equal('true')
      } finally {
        await other.dispose()
      }
    })

    it('says why where it cannot be woken', async () => {
      docker('pause', name)
      const nowhere = join(amux.home, 'nowhere')
      mkdirSync(nowhere, { recursive: true })
      writeFileSync(join(nowhere, 'config.json'), '{"currentContext":"nowhere"}')
      const { status, stdout, stderr } = await amux.run(['computer', 'exec', '--', 'echo', 'awake'], { env: { DOCKER_CONFIG: nowhere } })
      expect({ status, stdout }).to.deep.equal({ status: 125, stdout: '' })
      expect(stderr).to.include('cannot be woken').and.include('there is no Docker context').and.include('whether the program was started is unknown')
      docker('unpause', name)
    })
  })

  describe('amux in a worktree that a computer does not have yet', () => {
    it('has it put there, and again after somebody restarted the container', async () => {
      const amux = await scratchWith('docker')
      const git = (...args: string[]) => execFileSync('git', ['-C', amux.project, '-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { stdio: 'ignore' })
      try {
        git('init', '-q', '-b', 'main')
        git('commit', '-q', '--allow-empty', '-m', 'first')
        const name = (await amux.run(['computer', 'create', '-P', 'docker'])).stdout.trim()
        const other = join(amux.path, 'other')
        git('worktree', 'add', '-q', other)
        const look = () => amux.run(['computer', 'exec', '--', 'git', 'rev-parse', '--show-toplevel'], { cwd: other })
        expect((await look()).stdout).to.equal(`${other}\n`)
        docker('restart', '-t', '1', name)
        expect((await look()).stdout).to.equal(`${other}\n`)
        expect((await amux.run(['computer', 'restart'])).status).to.equal(0)
        expect((await look()).stdout).to.equal(`${other}\n`)
      } finally {
        await amux.run(['computer', 'rm', '--yes'])
        await amux.dispose()
      }
    })
  })

  describe('amux where one looks for another engine than before', () => {
    it('does not take the one for the other', async () => {
      const amux = await scratchWith('docker')
      try {
        expect((await amux.run(['computer', 'create', '-P', 'docker'])).status).to.equal(0)
        expect((await amux.run(['computer', 'exec', '--', 'true'])).status).to.equal(0)
        for (const env of [{ DOCKER_HOST: 'tcp://127.0.0.1:1' }, { DOCKER_CONTEXT: 'nowhere' }]) expect((await amux.run(['computer', 'exec', '--', 'true'], { env })).status).to.equal(125)
        expect((await amux.run(['computer', 'rm', '--yes'])).status).to.equal(0)
      } finally {
        await amux.dispose()
      }
    })
  })

  describe('amux with an engine that is nowhere', () => {
    it('says where it looked, and exits with 7', async () => {
      const amux = await scratchWith('docker')
      try {
          const { status, stderr } = await amux.run(['computer', 'create', '-P', 'docker'], { env: { DOCKER_HOST: 'tcp://127.0.0.1:1' } })
        expect(status, stderr).to.equal(7)
        expect(stderr).to.include('tcp://127.0.0.1:1').and.include('docker version')
        expect((await amux.run(['status'], { env: { AMUX_PROVIDER: 'docker' } })).stdout).to.match(/Computer {3}\S+ was never finished/)
        // What was asked for may be there: the user says when it is to be forgotten.
        const name = /computer (\S+) on docker was never finished/.exec((await amux.run(['computer', 'info', '-P', 'docker'])).stderr)?.[1] ?? ''
        expect((await amux.run(['computer', 'rm', name, '-P', 'docker', '--yes'])).stdout).to.equal(`${name} was no longer on docker: forgotten\n`)
        expect((await amux.run(['computer', 'info', '-P', 'docker'])).stderr).to.include('has no computer on docker')
      } finally {
        await amux.dispose()
      }
    })
  })
}
