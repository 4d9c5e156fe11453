import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin } from '../../../test/support/amux.ts'
import { linkFolders, scratchWith } from '../../../test/support/plugins.ts'
import { engine, hasEngine } from './engine.ts'

const SOCKET = '/var/run/docker.sock'
/** One that every Debian has, and that is nobody's. */
const WHO = 33

const as = (groups: number, ...argv: readonly string[]) => ['--reuid', String(WHO), '--regid', String(WHO), '--groups', String(groups), ...argv]
const mayRead = process.getuid?.() === 0 && [bin, process.execPath].every((path) => spawnSync('setpriv', as(WHO, 'test', '-r', path)).status === 0)

if (hasEngine && process.getuid?.() === 0 && !mayRead) console.warn('\n!!! AMUX IS BUILT WHERE OTHER USERS CANNOT READ IT: that the Docker provider works for an ordinary user is not tested\n')

if (hasEngine && mayRead && process.env['DOCKER_HOST'] === undefined) {
  describe('amux of an ordinary user who may use the engine', function () {
    this.timeout(240_000)
    let home: string
    let project: string
    before(async function () {
      this.timeout(600_000)
      await engine()
      home = mkdtempSync(join(tmpdir(), 'amux-user-'))
      project = join(home, 'work/project')
      mkdirSync(project, { recursive: true })
      writeFileSync(join(project, 'file'), 'first\n')
      execFileSync('sh', ['-c', 'git init -q . && git add file && git -c user.name=u -c user.email=u@example.com commit -qm first'], { cwd: project })
      await linkFolders(join(home, 'amux'), { '@amux/provider-docker': join(import.meta.dirname, '..') })
      execFileSync('chown', ['-R', `${WHO}:${WHO}`, home])
    })
    after(() => rmSync(home, { recursive: true, force: true }))

    function amux(...argv: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
      const { status, stdout, stderr } = spawnSync('setpriv', as(statSync(SOCKET).gid, process.execPath, bin, ...argv), { cwd: project, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home, AMUX_HOME: join(home, 'amux'), NO_COLOR: '1' } })
      return { status, stdout, stderr }
    }

    function fine(...argv: readonly string[]): string {
      const { status, stdout, stderr } = amux(...argv)
      expect(status, `${argv.join(' ')}: ${stderr}`).to.equal(0)
      return stdout.trim()
    }

    it('makes computers where programs are that user, and their files theirs', () => {
      fine('computer', 'create', '-P', 'docker')
      expect(fine('computer', 'exec', '--', 'sh', '-c', 'id -u; echo made > made')).to.equal(String(WHO))
      expect(statSync(join(project, 'made')).uid).to.equal(WHO)
    })

    it('has git there without a word about whose the project is, also for root', () => {
      expect(fine('computer', 'exec', '-u', 'root', '--', 'git', 'log', '--format=%s')).to.equal('first')
      chownSync(project, 4321, 4321)
      try {
        expect(fine('computer', 'exec', '--', 'git', 'log', '--format=%s')).to.equal('first')
      } finally {
        chownSync(project, WHO, WHO)
      }
    })

    it('stops, starts, goes back and forks them', () => {
      fine('computer', 'checkpoint', 'create')
      fine('computer', 'exec', '--', 'sh', '-c', 'echo second > file; sudo touch /opt/more')
      fine('computer', 'checkpoint', 'restore', 'v1', '--yes')
      expect(fine('computer', 'exec', '--', 'sh', '-c', 'cat file; ls /opt')).to.equal('first')
      fine('computer', 'stop')
      fine('computer', 'start')
      fine('computer', 'restart')
      expect(fine('computer', 'exec', '--', 'echo', 'again')).to.equal('again')
      const fork = fine('computer', 'fork', `user-${process.pid}-fork`)
      expect(fine('computer', 'exec', '-c', fork, '--', 'cat', 'file')).to.equal('first')
      fine('computer', 'rm', fork, '--yes')
    })

    it('uses one that is somebody else\'s, by the engine, as whoever may use that can', async () => {
      const other = await scratchWith('docker')
      try {
        expect((await other.run(['computer', 'create', '-P', 'docker', '--name', `user-${process.pid}-other`])).status).to.equal(0)
        expect(fine('computer', 'exec', '-c', `user-${process.pid}-other`, '-P', 'docker', '--', 'echo', 'theirs')).to.equal('theirs')
        expect((await other.run(['computer', 'rm', '--yes'])).status).to.equal(0)
      } finally {
        await other.dispose()
      }
    })

    it('leaves nothing of them, not even what their root made here', () => {
      fine('computer', 'rm', '--yes')
      const left = readdirSync(join(home, 'amux'), { recursive: true, encoding: 'utf8' }).filter((path) => /\/r\/./.test(path))
      expect(left).to.deep.equal([])
    })
  })
}
