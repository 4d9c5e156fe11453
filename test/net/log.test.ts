import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { appendFileSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { NetworkEvent } from '../../src/contract/index.ts'
import { type Agent, asRoot, at, World } from '../support/world.ts'
import { Fence, pause, until } from './fence.ts'

if (asRoot) {
  describe('the log of the fence', () => {
    let world: World, fence: Fence, inside: Agent
    before(async () => {
      world = await World.make()
      await world.zones({ 'good.test': { a: [at.good] } })
      fence = new Fence(world)
      inside = world.agent(world.computer)
      expect(await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile] }), fence.stderr).to.equal('ready')
      await fence.set('allow good.test')
    })
    after(async () => {
      await fence?.end()
      world?.end()
    })

    it('says what was refused, in order, and when', async () => {
      await inside.ask('first.test')
      await inside.ask('second.test', { type: 'AAAA', tcp: true })
      await inside.reach(at.evil, 443)
      await inside.act('datagram', { host: at.evil6, port: 7 })
      const events = await until(() => fence.log('--denied'), ({ length }) => length >= 4)
      expect(events.map(({ time, reason, ...rest }) => (expect([time, reason]).not.to.include(undefined), rest))).to.deep.equal([
        { event: 'lookup', domain: 'first.test', protocol: 'A' },
        { event: 'lookup', domain: 'second.test', protocol: 'AAAA' },
        { event: 'connect', address: at.evil, port: 443, protocol: 'tcp' },
        { event: 'connect', address: at.evil6, port: 7, protocol: 'udp' },
      ])
      for (const { time } of events) expect(Math.abs(Date.now() - Date.parse(time))).to.be.lessThan(60_000)
      expect((await fence.log()).map(({ event }) => event)).to.include('policy')
    })

    it('counts what is repeated', async () => {
      const seen = async () => (await fence.log('--denied')).filter(({ domain }) => domain === 'again.test')
      for (let i = 0; i < 20; i++) await inside.ask('again.test')
      expect((await seen()).length).to.be.lessThan(4)
      await pause(1100)
      await inside.ask('again.test')
      expect((await seen()).at(-1)?.reason).to.match(/and \d+ times more before$/)
    })

    it('is followed through its rotation until the reader leaves', async () => {
      const child = world.spawn(world.host, [fence.tool, 'log', fence.dir, '--follow', '--denied'], { stdio: ['pipe', 'pipe', 'inherit'] })
      const lines: NetworkEvent[] = []
      let rest = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        const parts = (rest + chunk.toString()).split('\n')
        rest = parts.pop() ?? ''
        lines.push(...parts.map((line) => JSON.parse(line) as NetworkEvent))
      })
      await until(() => lines.length, (length) => length > 0)
      // Full but for a few lines, so that the next ones turn it.
      const filler = `${JSON.stringify({ time: new Date().toISOString(), event: 'policy', reason: 'x'.repeat(900) })}\n`
      while (statSync(join(fence.dir, 'log')).size < (1 << 20) - 2000) appendFileSync(join(fence.dir, 'log'), filler)
      process.kill(fence.worker, 'SIGKILL')
      const names = Array.from({ length: 40 }, (_, index) => `turn${index}.test`)
      for (const name of names) await until(() => inside.ask(name, { timeout: 2000 }), ({ error }) => error === undefined)
      expect((await until(() => lines.filter(({ domain }) => domain?.startsWith('turn')), ({ length }) => length >= 40)).map(({ domain }) => domain)).to.deep.equal(names)
      expect(existsSync(join(fence.dir, 'log.1'))).to.equal(true)
      expect(statSync(join(fence.dir, 'log')).size).to.be.lessThan(20_000)
      for (const file of ['log', 'log.1']) expect(statSync(join(fence.dir, file)).size).to.be.at.most(1 << 20)
      expect((await fence.log('--denied')).filter(({ domain }) => domain?.startsWith('turn')).length, 'both are read').to.equal(40)
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      child.stdin?.end()
      expect(await ended).to.equal(0)
    })

    it('ends when nobody reads it, and is empty where nothing was', async () => {
      const piped = await world.run(world.host, ['sh', '-c', `sleep 5 | ${fence.tool} log ${fence.dir} --follow | head -n 1`])
      expect(piped.status).to.equal(0)
      expect(await world.run(world.host, [fence.tool, 'log', join(fence.root, 'nowhere')])).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    })

    it('bears a flood of different names without turning everything else out', async function () {
      this.timeout(60_000)
      await inside.act('flood', { name: 'flood#.none.test', count: 5000, width: 50 })
      const events = await fence.log('--denied')
      expect(events.filter(({ domain }) => domain?.endsWith('.none.test')).length).to.be.within(300, 3000)
      await pause(300)
      await inside.ask('after.test')
      expect((await fence.log('--denied')).at(-1)?.reason).to.match(/\d+ other events were too many to log/)
    })
  })
}
