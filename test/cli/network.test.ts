import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Capabilities, NetworkEvent, NetworkPolicy } from '../../src/contract/index.ts'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'

interface Changed {
  readonly computer: string
  readonly provider: string
  readonly rules: NetworkPolicy['rules']
  readonly changed: boolean
  readonly inForce: boolean
  readonly cut: readonly NetworkEvent[]
}

describe("a computer's network policy", function () {
  this.timeout(60_000)
  let amux: Scratch
  let name: string

  before(async function () {
    amux = await Scratch.make()
    name = (await amux.run(['computer', 'create', '-P', 'local'])).stdout.trim()
    const { network } = (await amux.json<{ readonly capabilities: Capabilities }>(['computer', 'capabilities'])).document.capabilities
    if (network.fidelity !== 'unavailable') return
    expect(process.geteuid?.() === 0, network.note).to.equal(false)
    process.stderr.write(`NOT TESTED: network policies of local computers: ${network.note}\n`)
    this.skip()
  })
  beforeEach(async () => {
    expect((await network('reset', '-q')).status).to.equal(0)
  })
  after(() => disposeAll(amux))

  const network = (...args: string[]) => amux.run(['computer', 'network', ...args])
  const show = async () => (await network('show')).stdout.trim().split('\n')
  const given = (input: string, ...args: string[]) => amux.run(['computer', 'network', 'set', '-', ...args], { input })

  it('is open at first, and says so in a form that can be set', async () => {
    expect(await network('show')).to.deep.equal({ status: 0, stdout: 'open\n', stderr: '' })
    expect((await amux.json(['computer', 'network', 'show'])).document).to.deep.equal({ rules: [] })
    expect((await given('open\n')).status).to.equal(0)
  })

  it('is what a file, standard input or a name says', async () => {
    writeFileSync(join(amux.project, 'policy.txt'), '# mine\nallow Example.COM.\ninclude defaults\n')
    const set = await network('set', 'policy.txt')
    expect(set).to.deep.equal({ status: 0, stdout: 'allowed: the defaults, example.com; everything else is denied\n', stderr: '' })
    expect(await show()).to.deep.equal(['allow example.com', 'include defaults'])
    const document = (await network('show', '--json')).stdout
    expect((await network('set', 'none')).stderr).to.contain('Rules that are gone:\n  allow example.com\n  include defaults\n')
    expect(await show()).to.deep.equal(['deny *'])
    expect((await given(document)).status).to.equal(0)
    expect(await show()).to.deep.equal(['allow example.com', 'include defaults'])
  })

  it('is changed rule by rule', async () => {
    const first = await network('allow', 'a.example', '*.b.example')
    expect(first.status).to.equal(0)
    expect(first.stderr).to.contain('It was open: everything else is denied from now on').and.contain('amux computer network reset')
    expect((await network('allow', 'c.example')).stderr).to.equal('')
    expect((await network('deny', 'a.example')).stderr).to.equal('Rules that are gone:\n  allow a.example\n')
    expect(await show()).to.deep.equal(['allow *.b.example', 'allow c.example', 'deny a.example'])
    const removed = await amux.json<Changed>(['computer', 'network', 'rm', 'A.example.', 'c.example'])
    expect(removed.status).to.equal(0)
    expect(removed.document).to.deep.equal({ computer: name, provider: 'local', rules: [{ domain: '*.b.example', action: 'allow' }], changed: true, inForce: true, cut: [] })
    const again = await network('allow', '*.b.example')
    expect({ status: again.status, stderr: again.stderr }).to.deep.equal({ status: 0, stderr: `${name} had that policy already.\n` })
  })

  it('denies one domain of an open computer, and no other', async () => {
    expect((await network('deny', 'evil.example')).stderr).to.contain('every other domain stays allowed')
    expect(await show()).to.deep.equal(['allow *', 'deny evil.example'])
  })

  it('does not lose the last rule unasked', async () => {
    await network('allow', 'a.example')
    const refused = await network('rm', 'a.example')
    expect({ status: refused.status, stdout: refused.stdout }).to.deep.equal({ status: 5, stdout: '' })
    expect(refused.stderr).to.contain('without rules everything is allowed').and.contain('--yes').and.contain('amux computer network set none')
    expect(await show()).to.deep.equal(['allow a.example'])
    expect((await network('rm', 'a.example', '--yes')).stdout).to.equal('open: everything is allowed\n')
  })

  it('is opened again, with the rules that were there', async () => {
    await given('allow a.example\ndeny b.example\n')
    const reset = await network('reset')
    expect(reset.stdout).to.equal('open: everything is allowed\n')
    expect(reset.stderr).to.contain('Rules that are gone:\n  allow a.example\n  deny b.example\n')
    expect(await show()).to.deep.equal(['open'])
  })

  it('loses no rule when several are added at once', async () => {
    const domains = Array.from({ length: 6 }, (_, index) => `d${index}.example`)
    const all = await Promise.all(domains.map((domain) => network('allow', domain)))
    expect(all.map(({ status }) => status)).to.deep.equal(domains.map(() => 0))
    expect((await show()).toSorted()).to.deep.equal(domains.map((domain) => `allow ${domain}`))
  })

  it('answers whether a host is allowed', async () => {
    await given('allow *.example.com\ndeny ads.example.com\ninclude defaults\n')
    const check = async (host: string) => {
      const { status, stdout } = await network('check', host)
      return [status, stdout.trim()]
    }
    expect(await check('www.example.com:443')).to.deep.equal([0, 'www.example.com is allowed: allow *.example.com'])
    expect(await check('https://ads.example.com/x')).to.deep.equal([1, 'ads.example.com is denied: deny ads.example.com'])
    expect(await check('example.com')).to.deep.equal([1, 'example.com is denied: no rule matches'])
    expect(await check('api.github.com')).to.deep.equal([0, 'api.github.com is allowed: *.github.com is on the list of defaults'])
    expect(await check('203.0.113.7')).to.deep.equal([1, '203.0.113.7 is denied: an address is reached only while an allowed name leads to it'])
    expect(await amux.json(['computer', 'network', 'check', 'ADS.example.com.:80'])).to.deep.equal({
      status: 1,
      document: { action: 'deny', rule: { domain: 'ads.example.com', action: 'deny' }, host: 'ads.example.com', domain: 'ads.example.com', reason: 'deny ads.example.com', allowed: false, port: 80 },
    })
    expect((await network('check', 'a b')).status).to.equal(2)
  })

  it('that is wrong is refused with the place, and changes nothing', async () => {
    await given('allow a.example\n')
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['', /standard input: there is no rule in it/],
      ['allow a.example\npermit b.example', /standard input: line 2: "permit"/],
      ['allow 203.0.113.7', /standard input: line 1: "203\.0\.113\.7" is an address/],
      ['{"rules":[{"domain":"a.example","action":"maybe"}]}', /standard input: rule 1: its "action"/],
      ['{"rules":', /standard input: no JSON/],
    ]
    for (const [input, why] of wrong) {
      const { status, stdout, stderr } = await given(input)
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' })
      expect(stderr).to.match(why)
    }
    expect((await network('set', 'missing.txt')).status).to.equal(3)
    expect((await network('allow', 'https://b.example/')).stderr).to.contain('Write its domain alone: b.example')
    expect((await network('rm', 'a.exmaple')).stderr).to.contain('Did you mean a.example?')
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'network', 'deny', 'defaults'])
    expect({ status, code: document.error.code }).to.deep.equal({ status: 2, code: 'invalid_argument' })
    expect(await show()).to.deep.equal(['allow a.example'])
  })

  it('warns when it cuts off an agent that is there', async () => {
    expect((await amux.run(['computer', 'exec', '--shell', 'mkdir -p ~/.local/bin && ln -sf /bin/true ~/.local/bin/codex'])).status).to.equal(0)
    const { stderr } = await network('set', 'none')
    expect(stderr).to.equal('amux: the network policy cuts Codex off from api.openai.com and chatgpt.com. To allow it: amux computer network allow api.openai.com chatgpt.com\n')
    expect((await network('allow', 'api.openai.com')).stderr).to.contain('cuts Codex off from chatgpt.com. To allow it: amux computer network allow chatgpt.com')
    expect((await network('allow', 'chatgpt.com')).stderr).to.equal('')
    expect((await network('set', 'defaults')).stderr).to.not.contain('Codex')
  })

  it('is kept through a stop, and can be changed meanwhile', async () => {
    await network('allow', 'a.example')
    await amux.run(['computer', 'stop'])
    expect(await show()).to.deep.equal(['allow a.example'])
    const changed = await network('allow', 'b.example')
    expect(changed.stderr).to.equal(`${name} is stopped: the policy is in force when it starts.\n`)
    await amux.run(['computer', 'start'])
    expect(await show()).to.deep.equal(['allow a.example', 'allow b.example'])
  })

  it('refuses lookups at once, and logs them', async () => {
    await network('allow', 'a.example')
    const lookup = (host: string) => amux.run(['computer', 'exec', '--', 'getent', 'hosts', host])
    expect((await lookup('refused.example')).status).to.equal(2)
    const events = (await network('log', '--denied', '--json')).stdout.trim().split('\n').map((line) => JSON.parse(line) as NetworkEvent)
    expect(events.some(({ event, domain }) => event === 'lookup' && domain === 'refused.example')).to.equal(true)
    expect(events.some(({ event }) => event === 'policy')).to.equal(false)
    expect((await network('log')).stdout).to.match(/^\S+Z {2}policy .*$/m).and.match(/^\S+Z {2}lookup {3}refused\.example/m)
  })

  it('is given at creation, or no network at all', async () => {
    writeFileSync(join(amux.project, 'strict.txt'), 'allow a.example\n')
    const strict = await amux.run(['computer', 'create', '--new', '--name', `${name}-strict`, '--network', 'strict.txt'])
    expect({ status: strict.status, stdout: strict.stdout }).to.deep.equal({ status: 0, stdout: `${name}-strict\n` })
    expect((await network('show', '-c', `${name}-strict`)).stdout).to.equal('allow a.example\n')
    const none = await amux.run(['computer', 'create', '--new', '--name', `${name}-none`, '--network', 'none'])
    expect(none.status).to.equal(0)
    expect((await network('show', '-c', `${name}-none`)).stderr).to.contain('was made without a network')
    expect((await amux.run(['computer', 'exec', '-c', `${name}-none`, '--shell', 'ls /sys/class/net || ip -o link'])).stdout.trim()).to.equal('lo')
    expect((await amux.run(['computer', 'create', '--new', '--network', 'missing.txt'])).status).to.equal(3)
    expect(await computers(amux)).to.have.length(3)
  })
})

describe('the list of defaults', () => {
  it('is shown without a computer, in a form that can be set', async () => {
    const amux = await Scratch.make()
    const { status, stdout } = await amux.run(['computer', 'network', 'show', '--defaults'])
    expect(status).to.equal(0)
    expect(stdout).to.contain('# Python\nallow pypi.org\n')
    await amux.dispose()
  })
})
