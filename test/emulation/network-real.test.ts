import { expect } from 'chai'
import { type ChildProcess } from 'node:child_process'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { NetworkEvent } from '../../src/contract/index.ts'
import { PolicyNetwork } from '../../src/emulation/network/index.ts'
import { parsePolicy } from '../../src/emulation/network/document.ts'
import { startProcess } from '../../src/testkit/process/process.ts'
import { testKit } from '../../src/testkit/kit.ts'
import { type Agent, asRoot, at, NEEDS_ROOT, World } from '../support/world.ts'

const policy = (text: string) => parsePolicy(text.replaceAll('; ', '\n'), 'the test')

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 500) throw new Error('it does not come to be')
    await delay(20)
  }
}

describe('a network policy by the real amux-net', function () {
  this.timeout(60_000)
  let world: World
  let server: ChildProcess
  let program: Agent
  let network: PolicyNetwork
  let store: string
  let tool: string

  before(async function () {
    if (!asRoot) {
      process.stderr.write(`${NEEDS_ROOT}\n`)
      this.skip()
    }
    tool = join(await (await testKit()).tools(process.arch), 'amux-net')
    store = mkdtempSync(join(tmpdir(), 'amux-net-'))
    world = await World.make()
    await world.zones({ 'good.test': { a: [at.good], aaaa: [at.good6] }, 'www.good.test': { cname: 'good.test' }, 'evil.test': { a: [at.evil] }, 'third.test': { a: [at.third] } })
    program = world.agent(world.computer)
    network = new PolicyNetwork({
      name: 'lab',
      // Where a provider puts the store is its own business.
      aside: ([, ...args], options = {}) => startProcess([tool, ...args.map((word) => word.replace(/^\/store\//, `${store}/`))], { cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, signal: options.signal }),
    })
  })
  after(async () => {
    server?.kill('SIGTERM')
    world?.end()
    if (store) rmSync(store, { recursive: true })
  })

  const serve = async () => {
    server = world.spawn(world.host, [tool, 'serve', join(store, 'network'), '--netns-of', String(program.pid), '--ready-fd', '3'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
    const pipe = server.stdio[3]
    if (!pipe) throw new Error('no pipe')
    await once(pipe, 'data')
  }
  const reach = async (name: string, port = 80) => {
    const { answers = [], rcode, error } = await program.ask(name)
    const address = answers.find((one) => isIP(one) > 0)
    return address === undefined ? `${error ?? rcode}` : program.reach(address, port)
  }
  const events = async (denied = false) => {
    const found: NetworkEvent[] = []
    for await (const event of network.log({ denied })) found.push(event)
    return found
  }

  it('is stored while nothing serves it, and in force from the start', async () => {
    expect(await network.get()).to.deep.equal({ rules: [] })
    expect(await events()).to.deep.equal([])
    await network.set(policy('allow Good.TEST.; allow *.good.test'))
    expect(await network.get()).to.deep.equal(policy('allow good.test; allow *.good.test'))
    await serve()
    expect(await program.reach(at.good, 80)).to.not.equal('ok')
    expect(await reach('evil.test')).to.equal('5')
    expect(await reach('www.good.test')).to.equal('ok')
  })

  it('is changed while connections live: what is still allowed goes on', async () => {
    await network.set(policy('allow good.test; allow evil.test'))
    expect([await reach('good.test'), await reach('evil.test')]).to.deep.equal(['ok', 'ok'])
    const kept = await program.hold(at.good, 19)
    const [busy, idle] = [await program.hold(at.evil, 19), await program.hold(at.evil, 7)]
    expect([kept.result, busy.result, idle.result]).to.deep.equal(['ok', 'ok', 'ok'])
    await network.set(policy('allow good.test'))
    // The program that holds them has much else to read.
    for (const { id } of [busy, idle]) await until(async () => (await program.state(id)).ended !== undefined)
    const { bytes, ended } = await program.state(kept.id)
    expect(ended).to.equal(undefined)
    await until(async () => (await program.state(kept.id)).bytes > bytes)
    await program.act('drop', { id: kept.id })
    const said = await events()
    const last = said.findLastIndex(({ event }) => event === 'policy')
    expect(said[last]?.reason).to.contain('1 rules in force')
    // It is logged before the change is; a busy one may have met the packet filter first.
    const cut = said.slice(0, last).filter(({ event }) => event === 'cut')
    expect(cut.some(({ address, port, protocol }) => address === at.evil && port === 7 && protocol === 'tcp')).to.equal(true)
  })

  it('denies one domain of all, and includes the list', async () => {
    await network.set(policy('allow *; deny evil.test'))
    expect([await reach('third.test'), await reach('evil.test')]).to.deep.equal(['ok', '5'])
    expect(await program.reach(at.evil, 80)).to.not.equal('ok')
    await network.set(policy('include defaults; allow third.test'))
    expect([await reach('third.test'), await reach('good.test')]).to.deep.equal(['ok', '5'])
    expect(await network.get()).to.deep.equal(policy('include defaults; allow third.test'))
  })

  it('holds as many rules as there may be', async () => {
    const rules = Array.from({ length: 9998 }, (_, index) => ({ domain: `d${index}.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`, action: 'allow' as const }))
    const large = { rules: [...rules, { domain: 'good.test', action: 'allow' as const }, { include: 'defaults' as const }] }
    await network.set(large)
    expect(await network.get()).to.deep.equal(large)
    expect([await reach('good.test'), await reach('third.test')]).to.deep.equal(['ok', '5'])
  })

  it('says what it denied, to those who follow, too', async () => {
    await network.set(policy('allow good.test'))
    const stop = new AbortController()
    const followed: NetworkEvent[] = []
    const following = (async () => {
      for await (const event of network.log({ follow: true, denied: true, signal: stop.signal })) {
        followed.push(event)
        if (event.domain === 'later.test') return
      }
    })()
    await reach('denied.test')
    await program.reach(at.third, 443)
    await until(async () => followed.some(({ address }) => address === at.third))
    await reach('later.test')
    await following
    expect(followed.some(({ event, domain, protocol }) => event === 'lookup' && domain === 'denied.test' && protocol === 'A')).to.equal(true)
    expect(followed.some(({ event, address, port, protocol }) => event === 'connect' && address === at.third && port === 443 && protocol === 'tcp')).to.equal(true)
    expect(followed.every(({ event }) => event === 'lookup' || event === 'connect')).to.equal(true)
  })

  it('is open again when it has no rules', async () => {
    await network.set({ rules: [] })
    expect([await program.reach(at.third, 80), await program.reach(at.evil, 80)]).to.deep.equal(['ok', 'ok'])
  })
})
