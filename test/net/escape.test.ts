import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { ROOT_CAPS } from '../../plugins/provider-local/src/plan-root.ts'
import { type Agent, asRoot, at, World } from '../support/world.ts'
import { Fence, policy } from './fence.ts'

/** As root on a local computer: without the capabilities over the network that are not for programs. */
const AS_ON_A_COMPUTER = ['setpriv', '--bounding-set', `-all,${ROOT_CAPS.split(',').map((name) => `+${name}`).join(',')}`, '--inh-caps=-all']

const python = (script: string): string[] => ['python3', '-c', `import socket, struct\n${script}`]

if (asRoot) {
  describe('root behind the fence finds no way round', () => {
    let world: World, fence: Fence, inside: Agent
    before(async () => {
      world = await World.make()
      await world.zones({ 'good.test': { a: [at.good] }, 'evil.test': { a: [at.evil] } })
      fence = new Fence(world)
      fence.store(policy('allow good.test'))
      inside = world.agent(world.computer, undefined, AS_ON_A_COMPUTER)
      expect(await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] }), fence.stderr).to.equal('ready')
      expect((await inside.ask('good.test')).rcode).to.equal(0)
    })
    after(async () => {
      await fence?.end()
      world?.end()
    })
    const run = (argv: readonly string[]) => world.run(world.computer, [...AS_ON_A_COMPUTER, ...argv])
    const refused = async (argv: readonly string[], said: RegExp) => {
      const { status, stdout, stderr } = await run(argv)
      expect(status, stdout).not.to.equal(0)
      expect(stderr + stdout).to.match(said)
    }

    it('by address, to any port', async () => {
      for (const port of [22, 80, 443, 853, 47053]) expect(await inside.reach(at.evil, port), String(port)).not.to.match(/^(ok|timeout)$/)
      expect(await inside.reach(at.host, 22)).to.equal('ECONNREFUSED')
      expect(await inside.act('datagram', { host: at.evil, port: 443 })).to.equal('EHOSTUNREACH')
    })

    it('by DNS over HTTPS or TLS to a host that no rule names', async () => {
      await refused(['curl', '-sS', '--max-time', '5', `https://${at.evil}/dns-query`], /refused|Failed to connect/)
      expect(await inside.reach(at.decoy, 853)).to.equal('ECONNREFUSED')
      expect(await inside.reach(at.decoy, 443)).to.equal('ECONNREFUSED')
    })

    it('by the packet filter, raw and packet sockets, interfaces, routes and marks', async () => {
      await refused(['nft', 'flush', 'ruleset'], /not permitted/)
      await refused(['nft', 'add', 'element', 'inet', 'amux', 'open4', `{ ${at.evil} }`], /not permitted/)
      await refused(['ip', 'link', 'set', 'eth0', 'down'], /not permitted/)
      await refused(['ip', 'link', 'add', 'x', 'type', 'dummy'], /not permitted/)
      await refused(['ip', 'route', 'add', `${at.evil}/32`, 'via', at.gateway], /not permitted/)
      await refused(['ip', 'addr', 'add', `${at.evil}/32`, 'dev', 'lo'], /not permitted/)
      await refused(python('socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)'), /not permitted/)
      await refused(python('socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)'), /not permitted/)
      await refused(python('socket.socket().setsockopt(socket.SOL_SOCKET, 36, 1)'), /not permitted/)
      await refused(python('socket.socket().setsockopt(socket.SOL_IP, 19, 1)'), /not permitted/)
    })

    it('by namespaces of its own', async () => {
      const nested = await run(['unshare', '--user', '--map-root-user', 'nft', 'flush', 'ruleset'])
      expect(nested.status).not.to.equal(0)
      const deeper = await run(['unshare', '--user', '--map-root-user', '--net', 'ip', 'link', 'add', 'v', 'type', 'veth', 'peer', 'name', 'w', 'netns', String(inside.pid)])
      expect(deeper.status).not.to.equal(0)
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
    })

    it('by a name server of its own: on port 53, or in the place of the fence\'s', async () => {
      const serve = (port: number) => `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(('127.0.0.1', ${port}))
s.settimeout(1)
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.sendto(b'x' * 20, ('127.0.0.1', 53))
try: s.recv(99); print('taken')
except TimeoutError: print('never asked')`
      expect((await run(python(serve(53)))).stdout).to.equal('never asked\n')
      await refused(python(serve(47053)), /Address already in use/)
      expect(await inside.ask('evil.test')).to.include({ rcode: 5 })
    })

    it('by a socket bound to the interface: loopback addresses do not leave', async () => {
      const out = (destination: string, port: number, kind: string) => `
s = socket.socket(socket.AF_INET, socket.${kind})
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'eth0')
s.settimeout(1)
s.connect(('${destination}', ${port})); s.send(b'x' * 30); s.recv(99)`
      for (const kind of ['SOCK_STREAM', 'SOCK_DGRAM']) {
        await refused(python(out('127.0.0.1', 80, kind)), /refused|timed out|No route|not permitted/i)
        await refused(python(out(at.decoy, 53, kind)), /refused|timed out|No route|not permitted/i)
      }
    })

    it('by a datagram from a denied host, which would look like a flow that began outside', async () => {
      await world.run(world.outside, python(`
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('${at.evil}', 9999))
for i in range(20): s.sendto(b'in', ('${at.computer}', 5555))`))
      await refused(python(`
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 5555))
s.connect(('${at.evil}', 9999)); s.send(b'out'); s.send(b'out')`), /No route|not permitted|refused/)
    })

    it('by a packet in the middle of a connection that the kernel never saw', async () => {
      expect((await run(['cat', '/proc/sys/net/netfilter/nf_conntrack_tcp_loose'])).stdout).to.equal('1\n')
      const outside = python(`
import time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('${at.evil}', 9998)); s.settimeout(2)
try: s.connect(('${at.computer}', 5556)); print('connected')
except OSError as e: print(e)`)
      expect((await world.run(world.outside, outside)).stdout).to.match(/refused/)
      await refused(python(`s = socket.socket(); s.settimeout(2); s.bind(('0.0.0.0', 5556)); s.connect(('${at.evil}', 9998))`), /refused/)
    })
  })
}
