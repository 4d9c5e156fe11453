import { expect } from 'chai'
import { type ChildProcess } from 'node:child_process'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { readFileSync } from 'node:fs'
import { type Agent, asRoot, World } from '../support/world.ts'
import { Fence, pause, policy, until } from './fence.ts'

const MANY = 8
/** Sends a million bytes to the first who said that it will say no more, two to the second, and so on, and goes. */
const GENEROUS = `let n = 0; require('net').createServer({ allowHalfOpen: true }, (c) => c.resume().on('error', () => {}).on('end', () => c.end(Buffer.alloc(++n * 1e6)))).listen(5001, '127.0.0.1', () => console.log('listens'))`
/** Takes nothing until it is told. */
const SHY = `
  let n = 0, left = ${MANY}
  const all = Array.from({ length: left }, () => require('net').connect(5001, '127.0.0.1', function () { this.end('x') }).on('error', () => {}).on('close', () => --left || console.log('got', n)))
  console.log('waits')
  process.stdin.resume().on('end', () => all.forEach((c) => c.on('data', (d) => (n += d.length))))`

if (asRoot) {
  describe('the host\'s ports', () => {
    let world: World, fence: Fence, inside: Agent
    beforeEach(async () => {
      world = await World.make()
      fence = new Fence(world)
      inside = world.agent(world.computer)
    })
    afterEach(async () => {
      await fence.end()
      world.end()
    })

    const program = (namespace: string, text: string) => world.spawn(namespace, [process.execPath, '-e', text], { stdio: ['pipe', 'pipe', 'inherit'] })
    const said = (child: ChildProcess) => new Promise<string>((resolve) => child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())))

    it('cost nothing while a program does not take what it was sent by one that is gone', async () => {
      const server = program(world.host, GENEROUS)
      expect(await said(server)).to.equal('listens')
      expect(await fence.serve({ pid: inside.pid, args: ['--host-port', '5001'] })).to.equal('ready')
      const shy = program(world.computer, SHY)
      expect(await said(shy)).to.equal('waits')
      await pause(500)
      const before = ticks(fence.worker)
      await pause(1000)
      expect(ticks(fence.worker) - before, 'hundredths of a second of work').to.be.lessThan(20)
      shy.stdin?.end()
      expect(await said(shy)).to.equal(`got ${(MANY * (MANY + 1)) / 2}000000`)
      server.kill()
    })

    it('leave descriptors for lookups and policies, however many connect', async () => {
      const host = world.agent(world.host)
      expect(await host.act('listen', { port: 5001 })).to.equal('ok')
      await world.zones({ 'good.test': { a: ['198.51.100.10'] } })
      expect(await fence.serve({ pid: inside.pid, args: ['--resolv', world.resolvFile, '--host-port', '5001'], wrap: ['prlimit', '--nofile=400:400'] })).to.equal('ready')
      const many = await Promise.all(Array.from({ length: 300 }, () => inside.hold('127.0.0.1', 5001)))
      expect(await fence.set('allow good.test')).to.equal(0)
      expect((await inside.ask('good.test')).rcode).to.equal(0)
      const states = await until(() => Promise.all(many.filter(({ result }) => result === 'ok').map(({ id }) => inside.state(id))), (all) => all.filter(({ ended }) => ended !== undefined).length >= 200)
      expect(states.filter(({ ended }) => ended === undefined)).to.have.length.within(40, 60)
      expect(fence.file()).to.equal(policy('allow good.test'))
    })
  })
}

/** Processor time of a process. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')
  return Number(fields[13]) + Number(fields[14])
}
