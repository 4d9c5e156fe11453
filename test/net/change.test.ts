import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, asRoot, at, World } from '../support/world.ts'
import { CUT, Fence, policy, until } from './fence.ts'

if (asRoot) {
  describe('a change of policy', () => {
    let world: World, fence: Fence, inside: Agent
    before(async () => {
      world = await World.make()
      await world.zones({ 'good.test': { a: [at.good], aaaa: [at.good6] }, 'evil.test': { a: [at.evil], aaaa: [at.evil6] }, 'third.test': { a: [at.third] }, 'both.test': { a: [at.good, at.third] } })
      fence = new Fence(world)
      inside = world.agent(world.computer)
      expect(await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] }), fence.stderr).to.equal('ready')
    })
    after(async () => {
      await fence?.end()
      world?.end()
    })
    beforeEach(async () => void (await fence.apply('amux-policy 1\ndocument {"rules":[]}\n')))

    const tables = async () => (await world.run(world.computer, ['nft', 'list', 'tables'])).stdout
    const flowing = async (id: number) => {
      const { bytes } = await inside.state(id)
      return until(() => inside.state(id), (state) => state.bytes > bytes || state.ended !== undefined)
    }

    it('open is no table at all', async () => {
      expect(await tables()).to.equal('')
      expect(await inside.reach(at.evil)).to.equal('ok')
      expect((await inside.ask('evil.test', { server: at.decoy })).rcode, 'the decoy is asked').to.equal(0)
    })

    it('from open to a policy cuts all connections', async () => {
      const ids = []
      for (const host of [at.good, at.evil, at.evil6]) ids.push((await inside.hold(host, 19)).id)
      expect(await fence.set('allow good.test')).to.equal(3)
      for (const id of ids) expect((await until(() => inside.state(id), ({ ended }) => ended !== undefined)).ended).to.match(CUT)
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      expect(await fence.log()).to.deep.include.members([]).and.satisfy((events: { event: string; address?: string }[]) => events.some(({ event, address }) => event === 'cut' && address === at.evil6))
    })

    it('keeps a download from what is still allowed, cuts what is not, and both at once', async () => {
      await fence.set('allow good.test', 'allow evil.test')
      for (const name of ['good.test', 'evil.test']) await inside.ask(name)
      const good = (await inside.hold(at.good, 19)).id
      const evil = (await inside.hold(at.evil, 19)).id
      expect(await fence.set('allow good.test')).to.equal(1)
      expect((await until(() => inside.state(evil), ({ ended }) => ended !== undefined)).ended).to.match(CUT)
      expect(await flowing(good)).not.to.have.property('ended')
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      expect(await inside.reach(at.good), 'still open without a new lookup').to.equal('ok')
      expect(await fence.set('allow evil.test')).to.equal(1)
      expect((await until(() => inside.state(good), ({ ended }) => ended !== undefined)).ended).to.match(CUT)
      expect(await inside.reach(at.evil), 'not without a new lookup').to.equal('ECONNREFUSED')
    })

    it('an address stays for as long as one of its names is allowed', async () => {
      await fence.set('allow good.test', 'allow both.test')
      for (const name of ['good.test', 'both.test']) await inside.ask(name)
      const { id } = await inside.hold(at.good)
      expect(await fence.set('allow both.test')).to.equal(0)
      expect(await inside.reach(at.good)).to.equal('ok')
      expect(await fence.set('allow third.test')).to.equal(1)
      expect((await until(() => inside.state(id), ({ ended }) => ended !== undefined)).ended).to.match(CUT)
      expect(await inside.reach(at.third)).to.equal('ECONNREFUSED')
    })

    it('a rule against an alias takes what was learned through it', async () => {
      await world.add({ 'www.test': { cname: 'a.cdn.test' }, 'a.cdn.test': { a: [at.third] } })
      await fence.set('allow www.test')
      await inside.ask('www.test')
      expect(await inside.reach(at.third)).to.equal('ok')
      await fence.set('allow www.test', 'deny *.cdn.test')
      expect(await inside.reach(at.third)).to.equal('ECONNREFUSED')
    })

    it('UDP to what is denied now ends', async () => {
      await fence.set('allow good.test', 'allow evil.test')
      await inside.ask('evil.test')
      expect(await inside.act('datagram', { host: at.evil, port: 7 })).to.equal('ok')
      await fence.set('allow good.test')
      expect(await inside.act('datagram', { host: at.evil, port: 7 })).to.equal('EHOSTUNREACH')
    })

    it('a lookup under way is judged by the policy of its answer', async () => {
      await world.add({ 'slow.test': { a: [at.third], delay: 800 } })
      await fence.set('allow slow.test')
      const slow = inside.ask('slow.test')
      await until(() => world.asked(), ({ asked }) => (asked['slow.test'] ?? 0) > 0)
      await fence.set('allow good.test')
      expect((await slow).rcode).to.equal(5)
      expect(await inside.reach(at.third)).to.equal('ECONNREFUSED')
    })

    it('back to open lets everything go on', async () => {
      await fence.set('allow good.test')
      await inside.ask('good.test')
      const { id } = await inside.hold(at.good, 19)
      expect((await fence.apply('amux-policy 1\ndocument {"rules":[]}\n')).stdout).to.equal('applied\t{"cut":0}\n')
      expect(await tables()).to.equal('')
      expect(await flowing(id)).not.to.have.property('ended')
      expect(await inside.reach(at.evil)).to.equal('ok')
    })

    it('of two writers at once one wins whole, in file and force alike', async () => {
      await fence.set('deny *')
      const one = policy('allow good.test', ...Array.from({ length: 3000 }, (_, index) => `deny n${index}.one.test`))
      const two = policy('allow evil.test', ...Array.from({ length: 3000 }, (_, index) => `deny n${index}.two.test`))
      const all = await Promise.all(Array.from({ length: 8 }, (_, index) => fence.apply(index % 2 ? one : two)))
      expect(all.map(({ stdout }) => stdout)).to.deep.equal(Array<string>(8).fill('applied\t{"cut":0}\n'))
      const winner = fence.file()
      expect([one, two]).to.include(winner)
      expect((await inside.ask('good.test')).rcode).to.equal(winner === one ? 0 : 5)
      expect((await inside.ask('evil.test')).rcode).to.equal(winner === one ? 5 : 0)
      expect(existsSync(join(fence.dir, 'policy.new'))).to.equal(false)
    })

    it('10,000 rules are a policy like any other', async () => {
      const rules = Array.from({ length: 10_000 }, (_, index) => `${index % 2 ? 'allow' : 'deny'} ${index % 3 ? '' : '*.'}n${index}.example.test`)
      await world.add({ '*.example.test': { a: [at.third] } })
      await fence.set(...rules)
      expect((await inside.ask('n9997.example.test')).rcode).to.equal(0)
      expect((await inside.ask('n9998.example.test')).rcode).to.equal(5)
      expect(await inside.reach(at.third)).to.equal('ok')
      await fence.set(...rules, 'deny n9997.example.test'.replace('9997', '10000'))
      expect(await inside.reach(at.third)).to.equal('ok')
      await fence.set(...rules.filter((rule) => !rule.includes('n9997.')))
      expect(await inside.reach(at.third)).to.equal('ECONNREFUSED')
    })

    it('many lookups at once are all answered', async function () {
      this.timeout(60_000)
      await world.add({ '*.load.test': { a: [at.third], ttl: 1 } })
      await fence.set('allow *.load.test')
      expect(await inside.act('flood', { name: 'n#.load.test', count: 3000, width: 100 })).to.deep.equal({ 0: 3000 })
      expect(await inside.act('flood', { name: 'n#.none.test', count: 3000, width: 100 })).to.deep.equal({ 5: 3000 })
    })
  })
}
