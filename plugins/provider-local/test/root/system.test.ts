import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Computer } from '../../../../src/contract/index.ts'
import { asRoot, type Bench, bench, failure, sh } from '../support.ts'

if (asRoot) {
  describe('the system of a local computer', () => {
    let local: Bench
    const made: string[] = []
    before(async () => {
      local = await bench()
    })
    after(async () => {
      await local.end()
      for (const path of made) rmSync(path, { recursive: true, force: true })
    })

    it('takes packages, keeps them over a stop, and leaves this machine alone', async function () {
      this.timeout(180_000)
      const computer = await local.create()
      const root = { user: 'root' }
      await sh(computer, 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y hello >/dev/null 2>&1', root)
      const prefix = await packed()
      await sh(computer, `npm i -g --no-audit --no-fund --offline /tmp/${prefix}`, root).catch(async () => expect.fail(await sh(computer, 'ls /tmp')))
      await computer.stop()
      await computer.start()
      expect(await sh(computer, 'hello; amux-test-tool; dpkg-query -W -f \'${Status}\' hello')).to.equal('Hello, world!\nfrom npm\ninstall ok installed')
      expect(existsSync('/usr/bin/hello')).to.equal(false)
      expect(() => execFileSync('dpkg', ['-s', 'hello'], { stdio: 'pipe' })).to.throw()
      await computer.delete()

      async function packed(): Promise<string> {
        const files = { 'package.json': '{"name":"amux-test-tool","version":"1.0.0","bin":"tool.sh"}', 'tool.sh': '#!/bin/sh\necho from npm\n' }
        for (const [name, text] of Object.entries(files)) await sh(computer, `mkdir -p /tmp/tool; printf %s '${text}' > /tmp/tool/${name}; chmod 755 /tmp/tool/${name}`)
        return sh(computer, 'cd /tmp && npm pack --silent ./tool')
      }
    })

    it('is that of its own user, who may become root where sudo is', async () => {
      const computer = await local.create()
      expect(await sh(computer, 'id -un; id -u; echo ~; pwd')).to.equal('amux\n1001\n/home/amux\n/home/amux')
      expect(await sh(computer, 'cat /etc/sudoers.d/amux', { user: 'root' })).to.equal('amux ALL=(ALL:ALL) NOPASSWD: ALL')
      expect(await sh(computer, 'id -u; echo $HOME', { user: '1234:1234' })).to.equal('1234\n/')
      await computer.delete()
    })

    it('may be another one than this machine\'s', async () => {
      const other = anotherSystem()
      const computer = await local.create({ options: { root: other } })
      expect((await computer.info()).details?.['system']).to.equal(other)
      expect(await sh(computer, 'cat /etc/os-release; id -u')).to.equal('NAME=Other\n1001')
      await sh(computer, 'echo mine > /bin/new', { user: 'root' })
      expect(existsSync(join(other, 'bin/new'))).to.equal(false)
      await computer.stop()
      const warnings = local.progress.length
      mkdirSync(join(other, 'var/lib/dpkg'), { recursive: true })
      writeFileSync(join(other, 'var/lib/dpkg/status'), 'Package: upgraded\n')
      await computer.start()
      expect(local.progress.slice(warnings).join()).to.include('changed since it started last')
      expect(await sh(computer, 'cat /bin/new')).to.equal('mine')
      await computer.stop()
      rmSync(other, { recursive: true })
      expect((await failure(computer.start())).message).to.include(other)
      await computer.delete()
    })

    it('must be one that programs run on', async () => {
      const empty = mkdtempSync(join(tmpdir(), 'amux-empty-'))
      made.push(empty)
      expect((await failure(local.create({ options: { root: empty } }))).code).to.equal('unsupported')
      expect((await failure(local.create({ options: { root: join(empty, 'missing') } }))).code).to.equal('invalid_argument')
    })

    it('hides the secrets of amux that a project holds', async () => {
      const project = mkdtempSync(join(tmpdir(), 'amux-holds-'))
      made.push(project)
      const inner = await bench(join(project, 'data'))
      const computer: Computer = await inner.create({ project: { path: project, name: 'p' } })
      expect(await sh(computer, 'pwd; ls data')).to.equal(project)
      expect((await failure(sh(computer, 'touch data/x'))).message).to.include('Read-only')
      await inner.end()
    })

    /** Just enough of a system: a shell, a few tools, and the libraries that they and Node need. */
    function anotherSystem(): string {
      const root = mkdtempSync(join(tmpdir(), 'amux-system-'))
      made.push(root)
      const programs = ['sh', 'cat', 'id', 'ls', 'touch'].map((name) => realpathSync(execFileSync('which', [name]).toString().trim()))
      const libraries = [...programs, process.execPath].flatMap((path) => [...execFileSync('ldd', [path]).toString().matchAll(/(\/\S+) \(/g)].map(([, library]) => library ?? ''))
      for (const [index, path] of programs.entries()) put(path, join('/bin', ['sh', 'cat', 'id', 'ls', 'touch'][index] ?? ''))
      for (const path of new Set(libraries)) put(path, path)
      mkdirSync(join(root, 'etc'))
      symlinkSync('bin', join(root, 'sbin'))
      writeFileSync(join(root, 'etc/os-release'), 'NAME=Other\n')
      return root

      function put(from: string, to: string): void {
        mkdirSync(dirname(join(root, to)), { recursive: true })
        copyFileSync(from, join(root, to))
      }
    }
  })
}
