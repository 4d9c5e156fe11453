import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Computer } from '../../../src/contract/index.ts'
import { asRoot, attempt, type Bench, bench, failure, sh } from './support.ts'

if (!asRoot) {
  describe('an unprivileged computer', () => {
    let local: Bench
    let computer: Computer
    before(async () => {
      local = await bench()
      computer = await local.create()
    })
    after(() => local.end())

    it('says what it falls short of', async () => {
      const { capabilities } = await computer.info()
      expect(capabilities?.users?.fidelity).to.equal('unavailable')
      expect(capabilities?.disk?.note).to.include('apt-get')
      expect((await failure(computer.spawn(['id'], { user: 'root' }))).code).to.equal('unsupported')
      expect((await failure(local.create({ options: { root: '/usr' } }))).code).to.equal('unsupported')
    })

    it('has this machine\'s system, and cannot write it', async () => {
      for (const path of ['/x', '/usr/x', '/etc/x', '/var/x', '/opt/x', '/root/x', '/mnt/x']) {
        expect((await attempt(computer, `touch ${path}`)).stderr, path).to.match(/Read-only|Permission denied/)
      }
    })

    it('has a home of its own, where npm installs programs', async () => {
      expect(await sh(computer, 'ls -d ~/.[a-z]* | wc -l')).not.to.equal('0')
      expect(await sh(computer, 'npm config get prefix; echo $PATH')).to.match(/^(.*)\/\.local\n\1\/\.local\/bin:/)
      await sh(computer, 'mkdir -p ~/.local/bin; printf "#!/bin/sh\\necho mine" > ~/.local/bin/my-tool; chmod 755 ~/.local/bin/my-tool')
      await computer.stop()
      await computer.start()
      expect(await sh(computer, 'my-tool')).to.equal('mine')
    })

    it('does not see other homes, sockets or temporary files', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'amux-outside-'))
      expect(await sh(computer, 'ls /root /mnt /media; ls /run; ls -A /var/tmp')).to.equal('/media:\n\n/mnt:\n\n/root:\namux\nlock')
      expect((await attempt(computer, `ls ${dir}`)).exit.code).not.to.equal(0)
      rmdirSync(dir)
      const seen = new Set((await sh(computer, 'ls /home')).split('\n'))
      expect(readdirSync('/home').filter((name) => seen.has(name) && `/home/${name}` !== homedir())).to.deep.equal([])
      expect((await attempt(computer, `ls ${local.dataDir}`)).exit.code).not.to.equal(0)
    })

    it('gives no privileges: not by setuid programs, not by namespaces of its own', async () => {
      expect(await sh(computer, 'cat /proc/self/status')).to.match(/CapEff:\s*0+\n/)
      for (const script of ['mount -t tmpfs x /mnt', 'umount /usr', 'unshare -Urm sh -c "umount /tmp || mount -o remount,bind,rw /usr || touch /usr/x"', 'su root -c id < /dev/null'])
        expect((await attempt(computer, script)).exit.code, script).not.to.equal(0)
    })

    it('lets other sandboxes work in it', async () => {
      const inner = await attempt(computer, 'unshare -Urmpf --mount-proc id -u')
      expect(inner.stdout, inner.stderr).to.equal('0\n')
    })

    it('hides processes of this machine', async () => {
      expect(Number(await sh(computer, 'ls -d /proc/[0-9]* | wc -l'))).to.be.lessThan(20)
      expect(Number(execFileSync('sh', ['-c', 'ls -d /proc/[0-9]* | wc -l']).toString())).to.be.greaterThan(20)
    })
  })
}
