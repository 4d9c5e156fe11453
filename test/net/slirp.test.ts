import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import type { ChildProcess } from 'node:child_process'
import { type Agent, asRoot, at, World } from '../support/world.ts'
import { Fence, pause, policy, until } from './fence.ts'

if (asRoot) {
  describe('behind slirp4netns, as on a local computer', () => {
    let world: World, fence: Fence, inside: Agent, host: Agent
    const listeners: ChildProcess[] = []
    before(async () => {
      world = await World.make('slirp')
      await world.zones({ 'good.test': { a: [at.good], aaaa: [at.good6] }, 'evil.test': { a: [at.evil] } })
      fence = new Fence(world)
      inside = world.agent(world.computer)
      host = world.agent(world.host)
      expect(await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] }), fence.stderr).to.equal('ready')
    })
    afterEach(() => {
      for (const listener of listeners.splice(0)) listener.kill('SIGKILL')
    })
    after(async () => {
      await fence?.end()
      world?.end()
    })

    it('the policy holds', async () => {
      expect(await inside.reach(at.evil)).to.equal('ok')
      const { id } = await inside.hold(at.evil)
      expect(await fence.set('allow good.test')).to.equal(1)
      expect((await until(() => inside.state(id), ({ ended }) => ended !== undefined)).ended).to.match(/^ECONN/)
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      expect((await inside.ask('good.test', { server: '10.0.2.3' })).answers).to.deep.equal([at.good])
      expect(await inside.reach(at.good)).to.equal('ok')
      expect(await inside.act('datagram', { host: at.good, port: 7 })).to.equal('ok')
    })

    it('the host\'s loopback is out of reach, with a policy and without', async () => {
      let heard = ''
      const listen = `
import socket, select
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(('127.0.0.1', 5009))
b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); b.bind(('::1', 5009))
c = socket.create_server(('127.0.0.1', 5009))
print('ready', flush=True)
while True:
  for s in select.select([a, b, c], [], [])[0]: print(s.accept() if s is c else s.recv(99), flush=True)`
      const listener = world.spawn(world.host, ['python3', '-c', listen])
      for (const stream of [listener.stdout, listener.stderr]) stream?.on('data', (chunk: Buffer) => (heard += chunk.toString()))
      listeners.push(listener)
      expect(await until(() => heard, (text) => text.endsWith('\n'))).to.equal('ready\n')
      const send = `
import socket, sys
for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET, '127.8.8.8'), (socket.AF_INET, '10.0.2.2'), (socket.AF_INET6, '::1')):
  for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    s = socket.socket(family, kind); s.settimeout(0.5)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'tap0')
    try: s.connect((host, 5009)); s.send(b'LEAK')
    except OSError: pass`
      for (const text of ['amux-policy 1\n', policy('allow *')]) {
        await fence.apply(text)
        const { status, stderr } = await world.run(world.computer, ['python3', '-c', send])
        expect(status, stderr).to.equal(0)
      }
      await pause(300)
      expect(heard).to.equal('ready\n')
      expect(await host.reach('127.0.0.1', 5009)).to.equal('ok')
      expect(await until(() => heard, (text) => text.split('\n').length === 3)).to.match(/^ready\n.*\n$/)
    })
  })
}
