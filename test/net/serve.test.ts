import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Agent, asRoot, at, World } from '../support/world.ts'
import { Fence, policy, until } from './fence.ts'

if (asRoot) {
  describe('the server of the fence', () => {
    let world: World, fence: Fence, inside: Agent
    beforeEach(async () => {
      world = await World.make()
      await world.zones({ 'good.test': { a: [at.good], aaaa: [at.good6] }, 'evil.test': { a: [at.evil] } })
      fence = new Fence(world)
      inside = world.agent(world.computer)
    })
    afterEach(async () => {
      await fence.end()
      world.end()
    })
    const serve = (...args: string[]) => fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile, ...args] })

    it('does not get ready without nft when there are rules, and says what is missing', async () => {
      const bare = join(fence.root, 'bin')
      mkdirSync(bare)
      symlinkSync('/bin/sh', join(bare, 'sh'))
      // In a mount namespace where nft is nowhere, and behind it nothing else of the machine's.
      const wrap = ['sh', '-c', `mount -t tmpfs none /usr/sbin && mount -t tmpfs none /usr/local/sbin && exec env PATH=${bare} "$@"`, 'sh']
      fence.store(policy('allow good.test'))
      expect(await fence.serve({ pid: inside.pid, wrap })).to.equal(4)
      expect(fence.stderr).to.match(/^error\t2\ttool\tnft\t.*nft is not on this machine\n$/)
      fence.store('amux-policy 1\n')
      expect(await fence.serve({ pid: inside.pid, wrap }), 'open needs none').to.equal('ready')
      const { stdout, status } = await fence.apply(policy('allow good.test'))
      expect(stdout).to.match(/^error\t2\ttool\tnft\t/)
      expect(status).to.equal(1)
      expect(fence.file()).to.equal('amux-policy 1\n')
      expect(await inside.reach(at.evil), 'and it is still open').to.equal('ok')
    })

    it('is the only one of its directory', async () => {
      expect(await serve()).to.equal('ready')
      const second = await world.run(world.host, [fence.tool, 'serve', fence.dir, '--netns-of', String(inside.pid)])
      expect(second).to.deep.include({ status: 1, stderr: 'error\t16\tlock\t\tResource busy\n' })
    })

    it('fences nothing but another network than the one it is in', async () => {
      const { status, stderr } = await world.run(world.computer, [fence.tool, 'serve', fence.dir, '--netns-of', String(inside.pid)])
      expect(status).to.equal(1)
      expect(stderr).to.match(/^error\t22\tnamespace\t/)
      expect((await world.run(world.host, [fence.tool, 'serve', fence.dir, '--netns-of', '999999'])).stderr).to.match(/^error\t2\tnamespace\t/)
    })

    it('does not begin with a policy that it cannot read', async () => {
      fence.store('amux-policy 1\nallow good.test\nallow ..\n')
      expect(await serve()).to.equal(1)
      expect(fence.stderr).to.equal('error\t22\tpolicy\t\tline 3: not a domain\n')
    })

    it('goes back to the old policy when the new one cannot be stored', async () => {
      fence.store(policy('allow good.test'))
      await serve()
      await inside.ask('good.test')
      const { id } = await inside.hold(at.good)
      mkdirSync(join(fence.dir, 'policy.new', 'in the way'), { recursive: true })
      const { stdout, status } = await fence.apply(policy('allow good.test', 'allow evil.test'))
      expect(stdout).to.match(/^error\t17\tstore\tpolicy\t/)
      expect(status).to.equal(1)
      expect((await inside.ask('evil.test')).rcode).to.equal(5)
      expect((await inside.ask('good.test')).rcode).to.equal(0)
      expect((await inside.state(id)).ended, 'what both allow goes on').to.equal(undefined)
      expect(fence.file()).to.equal(policy('allow good.test'))
    })

    it('asks the resolvers that the host has now', async () => {
      fence.store(policy('allow good.test'))
      world.resolvers([at.third])
      await serve()
      expect((await inside.ask('good.test')).rcode).to.equal(2)
      world.resolvers([at.second])
      expect((await inside.ask('good.test')).rcode).to.equal(0)
      world.resolvers([at.server6])
      expect((await inside.ask('good.test')).rcode).to.equal(0)
    })

    it('shuts an address that becomes the host\'s own', async () => {
      fence.store(policy('allow good.test'))
      await serve()
      await inside.ask('good.test')
      const { id } = await inside.hold(at.good)
      await world.run(world.host, ['ip', 'addr', 'add', `${at.good}/32`, 'dev', 'lo'])
      expect((await until(() => inside.state(id), ({ ended }) => ended !== undefined)).ended).to.match(/^ECONN/)
      expect(await inside.reach(at.good)).to.equal('ECONNREFUSED')
      expect((await inside.ask('good.test')).rcode).to.equal(5)
    })

    it('keeps what it knows to itself', async () => {
      fence.store(policy('allow good.test'))
      await serve()
      await fence.set('allow evil.test')
      expect(statSync(fence.dir).mode & 0o777).to.equal(0o700)
      for (const name of readdirSync(fence.dir)) expect(statSync(join(fence.dir, name)).mode & 0o077, name).to.equal(0)
    })

    it('bears a directory with a long path', async () => {
      const dir = join(fence.root, 'a'.repeat(120), 'network')
      mkdirSync(join(dir, '..'))
      Object.assign(fence, { dir })
      expect(await serve()).to.equal('ready')
      expect(await fence.set('allow good.test')).to.equal(0)
    })

    it('bears garbage on its control socket and its name server', async () => {
      fence.store(policy('allow good.test'))
      await serve()
      const say = (bytes: Buffer) =>
        new Promise<string>((resolve) => {
          const socket = connect(join(fence.dir, 'control'))
          let text = ''
          socket.on('data', (chunk) => (text += chunk.toString())).on('close', () => resolve(text)).on('error', () => resolve(text))
          socket.write(bytes)
        })
      expect(await say(Buffer.from('GET / HTTP/1.0\r\n\r\n'))).to.match(/^error\t22\tcontrol/)
      expect(await say(Buffer.from('apply 99999999999\n'))).to.match(/^error/)
      expect(await say(randomBytes(5000))).to.match(/^error/)
      expect(await say(Buffer.from('apply 3\nxyz'))).to.match(/^error\t22\tpolicy\t1/)
      const worker = fence.worker
      const noise = `
import socket, os
for i in range(3000):
  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(os.urandom(i % 700), ('127.0.0.1', 53))
  s.sendto(os.urandom(4) + b'\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00' + os.urandom(i % 300), ('127.0.0.1', 53)); s.close()
for i in range(400):
  s = socket.create_connection(('127.0.0.1', 53)); s.sendall(os.urandom(i * 7)); s.close()
held = [socket.create_connection(('127.0.0.1', 53)) for i in range(400)]`
      const { status, stderr } = await world.run(world.computer, ['python3', '-c', noise])
      expect(status, stderr).to.equal(0)
      expect(await inside.ask('good.test')).to.include({ rcode: 0 })
      expect(await inside.ask('good.test', { tcp: true })).to.include({ rcode: 0 })
      expect(fence.worker, 'the same process').to.equal(worker)
    })

    it('one client that hoards TCP connections or lookups keeps nobody out', async function () {
      this.timeout(40_000)
      await world.add({ '*.quiet.test': { silent: true } })
      fence.store(policy('allow *'))
      await serve()
      const flood = inside.act('flood', { name: 'n#.quiet.test', count: 6000, width: 6000 })
      await until(() => world.asked(), ({ asked }) => Object.keys(asked).length > 4200)
      const second = world.agent(world.computer)
      expect((await second.ask('good.test')).rcode).to.equal(0)
      expect(Object.values(await flood as Record<string, number>).reduce((sum, count) => sum + count)).to.equal(6000)
    })

    it('opens the host\'s ports that were asked for, and no other of its loopback', async () => {
      const host = world.agent(world.host)
      for (const port of [5001, 5002]) expect(await host.act('listen', { port })).to.equal('ok')
      fence.store(policy('deny *'))
      expect(await serve('--host-port', '5001', '--host-port', '5003')).to.equal('ready')
      for (const address of ['127.0.0.1', '::1', 'localhost']) expect(await inside.reach(address, 5001), address).to.equal('ok')
      expect(await inside.reach('127.0.0.1', 5002)).to.equal('ECONNREFUSED')
      expect(await inside.reach(at.gateway, 5001)).to.equal('ECONNREFUSED')
      const { id } = await inside.hold('127.0.0.1', 5001)
      await inside.act('write', { id, text: 'x'.repeat(3_000_000) })
      await inside.act('half', { id })
      const { bytes, ended } = await until(() => inside.state(id), (state) => state.ended !== undefined)
      expect({ bytes, ended }, 'all of it comes back after the half close').to.deep.equal({ bytes: 3_000_000, ended: 'closed' })
      const dead = await inside.hold('127.0.0.1', 5003)
      expect((await until(() => inside.state(dead.id), (state) => state.ended !== undefined || dead.result !== 'ok')).ended ?? dead.result).to.match(/closed|ECONN/)
      const many = await Promise.all(Array.from({ length: 100 }, () => inside.hold('127.0.0.1', 5001)))
      for (const { id: each } of many) await inside.act('write', { id: each, text: 'hello' })
      for (const { id: each } of many) expect((await until(() => inside.state(each), (state) => state.bytes === 5)).bytes).to.equal(5)
    })

    it('cannot begin when a port it should open is taken inside', async () => {
      expect(await inside.act('listen', { port: 5001 })).to.equal('ok')
      expect(await serve('--host-port', '5001')).to.equal(1)
      expect(fence.stderr).to.match(/^error\t98\tsockets\t/)
    })

    it('works as the owner of the computer\'s user namespace, without any privilege', async () => {
      const uid = 54321
      chmodSync(fence.root, 0o755)
      mkdirSync(fence.dir, { mode: 0o700 })
      chownSync(fence.dir, uid, uid)
      const node = join(fence.root, 'node')
      const support = join(fence.root, 'support')
      mkdirSync(support)
      const user = `setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all`
      const program = `touch ${node} && mount --bind "$1" ${node} && mount --bind ${join(import.meta.dirname, '../support')} ${support} && cd / && exec ${user} unshare --user --net ${node} ${support}/world-inside.ts`
      world.end()
      world = await World.make('none')
      await world.zones({ 'good.test': { a: [at.good], aaaa: [at.good6] }, 'evil.test': { a: [at.evil] } })
      Object.assign(fence, { world })
      const own = world.agent(world.host, undefined, ['sh', '-c', program, 'sh'])
      await until(() => own.act('state', { id: 0 }).catch(() => undefined), (state) => state !== undefined)
      world.adopt(own.pid)
      fence.store(policy('allow good.test'))
      chownSync(join(fence.dir, 'policy'), uid, uid)
      const host = world.agent(world.host)
      expect(await host.act('listen', { port: 5001 })).to.equal('ok')
      expect(await fence.serve({ pid: own.pid, wrap: user.split(' '), args: ['--resolv', world.resolvFile, '--host-port', '5001'] }), fence.stderr).to.equal('ready')
      expect(readFileSync(`/proc/${fence.worker}/status`, 'utf8')).to.match(/Uid:\t54321/).and.match(/CapEff:\t0+\n/)
      expect(await own.ask('good.test')).to.include({ rcode: 0 })
      expect(await own.ask('good.test', { type: 'AAAA', tcp: true })).to.include({ rcode: 0 })
      expect(await own.reach(at.good)).to.equal('ok')
      expect(await own.reach(at.good6)).to.equal('ok')
      expect(await own.reach('127.0.0.1', 5001)).to.equal('ok')
      expect(await own.reach(at.evil)).to.equal('ECONNREFUSED')
      const { id } = await own.hold(at.good)
      const apply = await world.run(world.host, [...user.split(' '), fence.tool, 'apply', fence.dir], policy('allow evil.test'))
      expect(apply.stdout).to.equal('applied\t{"cut":1}\n')
      expect((await own.state(id)).ended).to.equal('ECONNABORTED')
      expect((await fence.log()).map(({ event }) => event)).to.include.members(['connect', 'cut', 'policy'])
      expect(existsSync(join(fence.dir, 'control'))).to.equal(true)
    })
  })
}
