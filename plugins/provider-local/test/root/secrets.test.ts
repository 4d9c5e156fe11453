import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Computer } from '../../../../src/contract/index.ts'
import { asRoot, attempt, type Bench, bench, sh } from '../support.ts'

/** Everything here is tried as root on the computer. What this machine keeps for itself must stay out of reach. */
if (asRoot) {
  describe('root on a local computer', () => {
    let local: Bench
    let computer: Computer
    const made: string[] = []
    const servers: Server[] = []
    const secret = `secret-${process.pid}`

    before(async () => {
      await plant('/root')
      await plant('/home')
      await plant('/tmp')
      await plant('/var/tmp')
      await plant('/srv')
      await plant('/opt', 0o700)
      await plant('/var/lib', 0o700)
      await plant('/etc', 0o700)
      await plant('/')
      await listen('/run/amux-test.sock')
      await listen('/tmp/amux-test.sock')
      local = await bench()
      computer = await local.create({ env: { TOKEN: secret } })
    })
    after(async () => {
      for (const server of servers) server.close()
      await local.end()
      for (const path of made) await rm(path, { recursive: true, force: true })
    })

    async function plant(parent: string, mode = 0o755): Promise<void> {
      const dir = await mkdtemp(join(parent, 'amux-test-'))
      made.push(dir)
      await writeFile(join(dir, 'secret'), secret)
      await chmod(dir, mode)
    }

    async function listen(path: string): Promise<void> {
      await rm(path, { force: true })
      const server = createServer((socket) => socket.end(secret))
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(path, resolve))
    }

    it('finds none of this machine\'s private files', async () => {
      for (const path of made) expect((await attempt(computer, `cat ${path}/secret`, { user: 'root' })).stdout, path).to.equal('')
      const found = await sh(computer, "find / -xdev -path /usr -prune -o -name secret -path '*amux-test-*' -print 2>/dev/null || true", { user: 'root' })
      expect(found).to.equal('')
    })

    it('finds no disk of a computer, not even its own, from below', async () => {
      expect((await attempt(computer, `ls -d ${local.dataDir}`, { user: 'root' })).exit.code).not.to.equal(0)
      expect(await sh(computer, 'find / -xdev -path /usr -prune -o -name run.lock -print 2>/dev/null || true', { user: 'root' })).to.equal('')
    })

    it('sees no accounts, passwords or keys of this machine', async () => {
      const passwords = await sh(computer, 'cut -d: -f2 /etc/shadow | sort -u', { user: 'root' })
      expect(passwords).to.equal('*')
      expect(await sh(computer, 'ls /etc/ssh/ssh_host_*_key /etc/shadow- /etc/ssl/private/* 2>/dev/null || true', { user: 'root' })).to.equal('')
      const people = await sh(computer, "awk -F: '$3 >= 1000 && $3 < 65534 {print $1}' /etc/passwd")
      expect(people).to.equal('amux')
    })

    it('reaches no socket of this machine', async () => {
      for (const path of ['/run/amux-test.sock', '/tmp/amux-test.sock', '/var/run/docker.sock', '/run/docker.sock', '/run/dbus/system_bus_socket'])
        expect((await attempt(computer, `test -e ${path}`, { user: 'root' })).exit.code, path).to.equal(1)
    })

    it('gets no device of this machine', async () => {
      const devices = await sh(computer, 'find /dev -xdev -type b -o -xdev -type c | sort', { user: 'root' })
      expect(devices.split('\n')).to.deep.equal(['/dev/full', '/dev/null', '/dev/random', '/dev/tty', '/dev/urandom', '/dev/zero'])
      for (const node of ['b 254 0', 'b 8 0', 'c 1 1', 'c 1 11', 'c 10 200']) {
        expect((await attempt(computer, `mknod /root/node ${node}`, { user: 'root' })).exit.code, node).not.to.equal(0)
        expect((await attempt(computer, `mknod /dev/shm/node ${node}`, { user: 'root' })).exit.code, node).not.to.equal(0)
      }
    })

    it('opens no device file that lies on its disk', async () => {
      const upper = join(local.dataDir, 'computers', computer.name, 'disk/upper')
      await computer.stop()
      execFileSync('mknod', ['-m', '666', join(upper, 'opt/zero'), 'c', '1', '5'])
      await computer.start()
      expect((await attempt(computer, 'head -c 1 /opt/zero', { user: 'root' })).stderr).to.include('Permission denied')
    })

    it('lets others on this machine not reach its setuid files', async () => {
      await sh(computer, 'cp /bin/sh /opt/sh; chmod 4755 /opt/sh', { user: 'root' })
      expect((await stat(join(local.dataDir, 'computers'))).mode & 0o077).to.equal(0)
      const tried = execFileSync('setpriv', ['--reuid=65534', '--clear-groups', 'sh', '-c', `ls ${local.dataDir}/computers 2>&1 || true`]).toString()
      expect(tried).to.include('Permission denied')
    })

    it('has what was given at creation in its programs only', async () => {
      expect(await sh(computer, 'echo "$TOKEN"')).to.equal(secret)
      const record = await readFile(join(local.dataDir, 'computers', computer.name, 'meta.json'), 'utf8')
      expect(record).not.to.include(secret)
      expect((await attempt(computer, 'cat /run/amux/store/env.json')).exit.code, 'another user reads the store').not.to.equal(0)
    })

    it('cannot lead a later start out of its disk by links', async () => {
      const target = await mkdtemp('/var/lib/amux-test-')
      made.push(target)
      await writeFile(join(target, 'resolv.conf'), 'untouched')
      await mkdir(join(target, 'tmp'))
      const links = ['/mnt', '/srv', '/media'].map((path) => `rm -rf ${path}; ln -s ${target} ${path}`).join('; ')
      await sh(computer, `rm /etc/resolv.conf; ln -s ${target}/resolv.conf /etc/resolv.conf; rm -rf /var/tmp; ln -s ${target}/made /var/tmp; ${links}`, { user: 'root' })
      await computer.stop()
      await computer.start()
      expect(await readFile(join(target, 'resolv.conf'), 'utf8')).to.equal('untouched')
      expect(execFileSync('ls', [target]).toString()).to.equal('resolv.conf\ntmp\n')
    })
  })
} else {
  console.error('amux: not root, so what root on a computer may reach is not tried')
}
