import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type Agent, asRoot, at, World } from '../support/world.ts'
import { CUT, Fence, pause, policy, until } from './fence.ts'

if (asRoot) {
  describe('a fence whose keeper is killed', () => {
    let world: World, fence: Fence, inside: Agent
    const serve = () => fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] })
    beforeEach(async () => {
      world = await World.make()
      await world.zones({ 'good.test': { a: [at.good], aaaa: [at.good6] }, 'third.test': { a: [at.third] }, 'evil.test': { a: [at.evil] } })
      fence = new Fence(world)
      fence.store(policy('allow good.test', 'allow third.test'))
      inside = world.agent(world.computer)
      expect(await serve(), fence.stderr).to.equal('ready')
    })
    afterEach(async () => {
      await fence.end()
      world.end()
    })
    const grows = async (id: number) => {
      const { bytes } = await inside.state(id)
      const state = await until(() => inside.state(id), (now) => now.bytes > bytes + 1_000_000 || now.ended !== undefined)
      expect(state).not.to.have.property('ended')
    }
    const killWorker = async () => {
      const worker = fence.worker
      process.kill(worker, 'SIGKILL')
      await until(() => fence.worker, (next) => next > 0 && next !== worker)
    }
    const killParent = async () => {
      const ended = new Promise((resolve) => fence.child?.once('exit', resolve))
      process.kill(fence.child?.pid ?? 0, 'SIGKILL')
      await ended
    }

    it('has no gap: nobody gets out while workers and parents are killed again and again', async function () {
      this.timeout(60_000)
      await inside.ask('good.test')
      const { id } = await inside.hold(at.good, 19)
      const probe = await inside.act<number>('probe', { host: at.evil, port: 7 })
      for (let round = 0; round < 20; round++) {
        await killWorker()
        if (round % 5 === 4) {
          await killParent()
          await pause(40)
          expect(await serve(), fence.stderr).to.equal('ready')
        }
        await grows(id)
      }
      const { tries, got } = await inside.act<{ tries: number; got: number }>('tries', { id: probe, stop: true })
      expect(tries).to.be.greaterThan(20)
      expect(got).to.equal(0)
    })

    it('knows after that which address belongs to which name', async () => {
      for (const name of ['good.test', 'third.test']) await inside.ask(name)
      await inside.ask('good.test', { type: 'AAAA' })
      const held = { good: (await inside.hold(at.good, 19)).id, good6: (await inside.hold(at.good6, 19)).id, third: (await inside.hold(at.third, 19)).id }
      await killWorker()
      expect(await inside.reach(at.third), 'open for as long as it was').to.equal('ok')
      await killParent()
      expect(await serve()).to.equal('ready')
      expect(await fence.set('allow good.test')).to.equal(1)
      expect((await until(() => inside.state(held.third), ({ ended }) => ended !== undefined)).ended).to.match(CUT)
      await grows(held.good)
      await grows(held.good6)
      expect(await inside.reach(at.third)).to.equal('ECONNREFUSED')
      expect(await inside.reach(at.good)).to.equal('ok')
    })

    it('while it is down, nothing new gets out and the policy can be changed; the next one enforces it', async () => {
      await inside.ask('third.test')
      const { id } = await inside.hold(at.third, 19)
      await killParent()
      expect((await inside.ask('good.test', { timeout: 300 })).error).to.be.oneOf(['timeout', 'ECONNREFUSED'])
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      await grows(id)
      expect((await fence.apply(policy('allow good.test'))).stdout).to.equal('stored\n')
      expect(await serve()).to.equal('ready')
      expect((await until(() => inside.state(id), ({ ended }) => ended !== undefined)).ended).to.match(CUT)
      expect((await inside.ask('good.test')).rcode).to.equal(0)
      expect((await inside.ask('third.test')).rcode).to.equal(5)
    })

    it('a policy that is applied just then is in force when that is said', async function () {
      this.timeout(60_000)
      for (let round = 0; round < 10; round++) {
        const rule = round % 2 ? 'allow good.test' : 'allow evil.test'
        const applied = fence.apply(policy(rule))
        const killed = pause(round * 3).then(() => process.kill(fence.worker, 'SIGKILL')).catch(() => undefined)
        expect((await applied).stdout).to.match(/^applied/)
        await killed
        expect((await inside.ask('evil.test')).rcode, String(round)).to.equal(round % 2 ? 5 : 0)
        expect(fence.file()).to.equal(policy(rule))
      }
    })

    it('ends when it is told to, and leaves the rules', async () => {
      expect(await fence.stop()).to.equal(0)
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
      expect(await serve()).to.equal('ready')
      process.kill(fence.child?.pid ?? 0, 'SIGTERM')
      expect(await until(() => fence.child?.exitCode, (code) => code !== null)).to.equal(0)
      expect(await inside.reach(at.evil)).to.equal('ECONNREFUSED')
    })
  })
}
