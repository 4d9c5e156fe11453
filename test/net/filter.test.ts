import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { type Agent, asRoot, at, NEEDS_ROOT, World } from '../support/world.ts'
import { Fence, pause, policy, until } from './fence.ts'

const REFUSED = 5
const SERVFAIL = 2

if (!asRoot) {
  describe('the fence around the network', () => it(NEEDS_ROOT, () => process.stderr.write(`${NEEDS_ROOT}\n`)))
} else {
  describe('what the fence lets through', () => {
    let world: World, fence: Fence, inside: Agent
    before(async () => {
      world = await World.make()
      fence = new Fence(world)
      fence.store(policy('deny *'))
      inside = world.agent(world.computer)
      expect(await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] }), fence.stderr).to.equal('ready')
    })
    after(async () => {
      await fence?.end()
      world?.end()
    })
    beforeEach(async () => {
      world.resolvers([at.server])
      await world.zones({
        'good.test': { a: [at.good], aaaa: [at.good6] },
        'evil.test': { a: [at.evil], aaaa: [at.evil6] },
        'sub.good.test': { a: [at.third] },
        'deep.sub.good.test': { a: [at.third] },
      })
      await fence.set('deny *')
    })
    const rcode = async (name: string, question: object = {}) => (await inside.ask(name, question)).rcode

    it('nothing, when no rule allows it', async () => {
      expect(await inside.ask('good.test')).to.include({ rcode: REFUSED })
      expect(await inside.reach(at.good)).to.equal('ECONNREFUSED')
      expect(await inside.act('datagram', { host: at.good, port: 7 })).to.equal('EHOSTUNREACH')
      expect(await inside.reach(at.good6)).to.equal('ECONNREFUSED')
    })

    it('an address once an allowed name has been resolved to it, and only then', async () => {
      await fence.set('allow good.test')
      expect(await inside.reach(at.good)).to.equal('ECONNREFUSED')
      expect(await inside.ask('GOOD.test')).to.deep.include({ rcode: 0, answers: [at.good] })
      expect(await inside.reach(at.good)).to.equal('ok')
      expect(await inside.act('datagram', { host: at.good, port: 7 })).to.equal('ok')
      expect(await inside.reach(at.good, 443)).to.equal('ok')
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      expect(await inside.reach(at.good6), 'its other address was not asked for').to.equal('ECONNREFUSED')
    })

    it('IPv6 as well, by AAAA', async () => {
      await fence.set('allow good.test')
      expect((await inside.ask('good.test', { type: 'AAAA', server: at.decoy6 })).answers).to.have.length(1)
      expect(await inside.reach(at.good6)).to.equal('ok')
      expect(await inside.act('datagram', { host: at.good6, port: 7 })).to.equal('ok')
      expect(await inside.reach(at.evil6)).to.equal('ECONNREFUSED')
    })

    it('the most specific rule wins, whatever the order', async () => {
      await fence.set('deny sub.good.test', 'allow *.good.test', 'deny *.sub.good.test', 'allow ok.sub.good.test')
      await world.add({ 'other.good.test': { a: [at.good] }, 'ok.sub.good.test': { a: [at.good] } })
      expect(await rcode('other.good.test')).to.equal(0)
      expect(await rcode('sub.good.test')).to.equal(REFUSED)
      expect(await rcode('deep.sub.good.test')).to.equal(REFUSED)
      expect(await rcode('ok.sub.good.test')).to.equal(0)
      expect(await rcode('good.test'), '*.x is not x').to.equal(REFUSED)
      expect(await rcode('notgood.test')).to.equal(REFUSED)
      await fence.set('allow *', 'deny *.good.test')
      expect(await rcode('evil.test')).to.equal(0)
      expect(await rcode('sub.good.test')).to.equal(REFUSED)
    })

    it('a query goes to the host\'s resolver, wherever the program sent it; UDP and TCP, IPv4 and IPv6', async () => {
      await fence.set('allow good.test')
      const before_ = await world.asked()
      for (const server of [at.decoy, at.decoy6, at.evil, '9.9.9.9', '127.0.0.53', '10.0.2.3']) {
        for (const tcp of [false, true]) {
          expect(await rcode('good.test', { server, tcp }), `${server} ${tcp}`).to.equal(0)
          expect(await rcode('evil.test', { server, tcp }), `${server} ${tcp}`).to.equal(REFUSED)
        }
      }
      const after_ = await world.asked()
      expect(after_.decoyed).to.equal(before_.decoyed)
      expect(after_.asked['evil.test']).to.equal(before_.asked['evil.test'])
    })

    it('the addresses at the end of a chain of aliases, and lookups of these by themselves', async () => {
      await world.add({ 'www.good.test': { cname: 'a.cdn.test' }, 'a.cdn.test': { cname: 'b.cdn.test' }, 'b.cdn.test': { a: [at.third] } })
      await fence.set('allow www.good.test')
      expect(await rcode('b.cdn.test')).to.equal(REFUSED)
      expect((await inside.ask('www.good.test')).answers).to.deep.equal(['a.cdn.test', 'b.cdn.test', at.third])
      expect(await inside.reach(at.third)).to.equal('ok')
      expect((await inside.ask('b.cdn.test')).answers).to.deep.equal([at.third])
      expect(await rcode('c.cdn.test')).to.equal(REFUSED)
    })

    it('no chain through a name that a rule denies; one through what nothing matches is well', async () => {
      await world.add({ 'www.good.test': { cname: 'a.cdn.test' }, 'a.cdn.test': { cname: 'ads.evil.test' }, 'ads.evil.test': { a: [at.evil] } })
      await fence.set('allow www.good.test', 'deny *.evil.test')
      expect(await inside.ask('www.good.test')).to.deep.include({ rcode: REFUSED, answers: [] })
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      expect((await fence.log('--denied')).map(({ reason }) => reason)).to.include('it is an alias of ads.evil.test, which is denied')
      await fence.set('allow www.good.test', 'deny *')
      expect(await rcode('www.good.test')).to.equal(0)
    })

    it('a TTL of 0 leaves ten seconds to connect; what lives goes on after that, what is new does not', async function () {
      this.timeout(30_000)
      await world.add({ 'good.test': { a: [at.good], ttl: 0 } })
      await fence.set('allow good.test')
      await inside.ask('good.test')
      const { id } = await inside.hold(at.good)
      expect(await until(() => inside.reach(at.good), (result) => result !== 'ok', 20_000)).to.equal('ECONNREFUSED')
      await inside.act('write', { id, text: 'still there?' })
      expect(await until(() => inside.state(id), ({ bytes }) => bytes === 12)).to.deep.equal({ bytes: 12 })
      await inside.ask('good.test')
      expect(await inside.reach(at.good)).to.equal('ok')
    })

    it('no private or special address, and none of the host, whatever the upstream says', async () => {
      await fence.set('allow *')
      const lies4 = ['10.1.2.3', '127.0.0.1', '169.254.169.254', '172.31.0.1', '192.168.1.1', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', at.host, at.gateway]
      const lies6 = ['::1', '::', 'fd00::2', 'fe80::1', 'ff02::1', '::ffff:10.0.0.1', '64:ff9b::7f00:1', at.host6]
      await world.add(Object.fromEntries([...lies4.map((address, index) => [`lie${index}.test`, { a: [address] }]), ...lies6.map((address, index) => [`six${index}.test`, { aaaa: [address] }])]))
      for (const [index, address] of lies4.entries()) expect(await rcode(`lie${index}.test`), address).to.equal(REFUSED)
      for (const [index, address] of lies6.entries()) expect(await rcode(`six${index}.test`, { type: 'AAAA' }), address).to.equal(REFUSED)
      expect(await inside.reach(at.gateway, 80)).to.equal('ECONNREFUSED')
      await world.add({ 'both.test': { a: ['10.1.2.3', at.third] } })
      expect(await rcode('both.test')).to.equal(0)
      expect(await inside.reach(at.third)).to.equal('ok')
      expect((await world.run(world.computer, ['nft', 'list', 'set', 'inet', 'amux', 'open4'])).stdout).not.to.match(/10\.1\.2\.3|127\.0|192\.168/)
    })

    it('an answer too large for UDP comes by TCP', async () => {
      await world.add({ 'large.test': { a: [at.third], truncate: true } })
      await fence.set('allow large.test')
      expect(await inside.ask('large.test')).to.include({ rcode: 0, truncated: true })
      expect((await inside.ask('large.test', { tcp: true })).answers).to.deep.equal([at.third])
      expect(await inside.reach(at.third)).to.equal('ok')
    })

    it('an answer to something else, or noise, is none', async () => {
      await fence.set('allow *.bad.test')
      const kinds = ['id', 'question', 'loop', 'noise'] as const
      await world.add(Object.fromEntries(kinds.map((garbage) => [`${garbage}.bad.test`, { a: [at.third], garbage }])))
      const codes = await Promise.all(kinds.map((kind) => rcode(`${kind}.bad.test`)))
      expect(codes).to.deep.equal([SERVFAIL, SERVFAIL, SERVFAIL, SERVFAIL])
      expect(await inside.reach(at.third)).to.equal('ECONNREFUSED')
    })

    it('a resolver that is dead or silent costs a while, not the answer; without any it is SERVFAIL', async () => {
      await fence.set('allow good.test', 'allow quiet.test', 'allow slow.test')
      world.resolvers([at.third, at.server])
      expect(await rcode('good.test'), 'nobody listens there').to.equal(0)
      world.resolvers(['198.51.100.99', at.server])
      expect(await rcode('good.test'), 'nobody is there').to.equal(0)
      world.resolvers([at.server])
      await world.add({ 'quiet.test': { silent: true }, 'slow.test': { a: [at.third], delay: 1200 } })
      const quiet = rcode('quiet.test')
      expect(await rcode('good.test'), 'others do not wait for it').to.equal(0)
      expect(await rcode('slow.test')).to.equal(0)
      expect(await quiet).to.equal(SERVFAIL)
    })

    it('other types pass for allowed names; zone transfers do not', async () => {
      await world.add({ 'good.test': { txt: ['hello'] } })
      await fence.set('allow good.test')
      expect((await inside.ask('good.test', { type: 'TXT' })).answers).to.deep.equal(['hello'])
      expect(await rcode('good.test', { type: 'AXFR', tcp: true })).to.equal(REFUSED)
      expect(await rcode('evil.test', { type: 'TXT' })).to.equal(REFUSED)
    })

    it('connections from outside are answered', async () => {
      expect(await inside.act('listen', { port: 8080 })).to.equal('ok')
      const outside = world.agent(world.outside)
      const { result, id } = await outside.hold(at.computer, 8080)
      expect(result).to.equal('ok')
      await outside.act('write', { id, text: 'hello' })
      expect((await until(() => outside.state(id), ({ bytes }) => bytes === 5)).bytes).to.equal(5)
      await fence.set('deny good.test')
      await outside.act('write', { id, text: 'again' })
      expect(await until(() => outside.state(id), ({ bytes }) => bytes === 10)).to.deep.equal({ bytes: 10 })
    })

    it('names of hostile bytes harm neither the log nor the filter', async () => {
      await fence.set('allow good.test')
      await pause(1100)
      const names = ['a"\n\u001b[31m.test', 'x\u0000y.good.test', 'evil.test\u002e', `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(60)}`]
      for (const name of names) expect(await rcode(name)).to.equal(REFUSED)
      const domains = (await fence.log('--denied')).map(({ domain }) => domain)
      expect(domains).to.include.members(['a\\034\\010\\027\\09131m.test', 'x\\000y.good.test'])
    })
  })
}
