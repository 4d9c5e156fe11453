import { expect } from 'chai'
import { after, describe, it } from 'mocha'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { NetworkPolicy } from '../../src/contract/index.ts'
import { hasCode, normalise } from '../../src/errors/index.ts'
import { defaults } from '../../src/emulation/network/defaults.ts'
import { difference, drop, put } from '../../src/emulation/network/edit.ts'
import { checkPolicy, cutOff, describePolicy, formatPolicy, networkOption, parsePolicy, parseTarget, policyText, readPolicy } from '../../src/emulation/network/index.ts'
import { judge } from '../../src/emulation/network/verdict.ts'
import { refused } from './network-lab.ts'

const policy = (text: string): NetworkPolicy => parsePolicy(text.replaceAll('; ', '\n'), 'the test')

describe('What a policy does with a host', () => {
  const most = 'allow example.com; allow *.example.com; deny secret.example.com; deny *.secret.example.com; allow open.secret.example.com; deny *.org; allow *'
  const cases: readonly (readonly [string, string, 'allow' | 'deny', string?])[] = [
    ['open', 'anything.example', 'allow'],
    ['open', '203.0.113.7', 'allow'],
    ['none', 'anything.example', 'deny', '*'],
    ['none', 'localhost', 'allow'],
    ['none', '127.0.0.1', 'allow'],
    ['none', '[::1]', 'allow'],
    ['allow example.com', 'example.com', 'allow', 'example.com'],
    ['allow example.com', 'EXAMPLE.com.', 'allow', 'example.com'],
    ['allow example.com', 'www.example.com', 'deny'],
    ['allow example.com', 'notexample.com', 'deny'],
    ['allow *.example.com', 'example.com', 'deny'],
    ['allow *.example.com', 'a.b.example.com', 'allow', '*.example.com'],
    ['allow *.example.com', 'aexample.com', 'deny'],
    ['allow bücher.example', 'xn--bcher-kva.example', 'allow', 'xn--bcher-kva.example'],
    ['allow example.com', '203.0.113.7', 'deny'],
    ['allow *', '203.0.113.7', 'deny'],
    ['allow *', '2001:db8::1', 'deny'],
    ['allow *', 'com', 'allow', '*'],
    ['deny evil.example', 'other.example', 'deny'],
    [most, 'example.com', 'allow', 'example.com'],
    [most, 'www.example.com', 'allow', '*.example.com'],
    [most, 'secret.example.com', 'deny', 'secret.example.com'],
    [most, 'a.secret.example.com', 'deny', '*.secret.example.com'],
    [most, 'open.secret.example.com', 'allow', 'open.secret.example.com'],
    [most, 'a.open.secret.example.com', 'deny', '*.secret.example.com'],
    [most, 'debian.org', 'deny', '*.org'],
    [most, 'org', 'allow', '*'],
    ['include defaults', 'api.github.com', 'allow', '*.github.com'],
    ['include defaults', 'example.com', 'deny'],
    ['include defaults; deny github.com', 'github.com', 'deny', 'github.com'],
    ['deny github.com; include defaults', 'github.com', 'deny', 'github.com'],
    ['include defaults; deny *.github.com', 'api.github.com', 'deny', '*.github.com'],
    ['include defaults; deny *.com', 'github.com', 'allow', 'github.com'],
    ['include defaults; allow *', 'example.com', 'allow', '*'],
  ]
  for (const [rules, host, action, domain] of cases) {
    it(`${rules.length > 50 ? 'a long one' : rules}: ${host} is ${action === 'allow' ? 'allowed' : 'denied'}`, () => {
      const verdict = judge(policy(rules), host)
      expect({ action: verdict.action, domain: verdict.domain }).to.deep.equal({ action, domain })
      // Whatever the order of the rules.
      const turned = { rules: policy(rules).rules.toReversed() }
      expect(judge(turned, host)).to.deep.equal(verdict)
    })
  }

  it('names the rule, also where it is a list', () => {
    expect(judge(policy('include defaults; deny evil.example'), 'pypi.org')).to.deep.equal({ action: 'allow', host: 'pypi.org', rule: { include: 'defaults' }, domain: 'pypi.org', reason: 'pypi.org is on the list of defaults' })
    expect(judge(policy('include defaults; deny evil.example'), 'evil.example').reason).to.equal('deny evil.example')
    expect(judge(policy('include defaults'), 'evil.example').reason).to.equal('no rule matches')
  })

  it('refuses what is no host', () => {
    for (const host of ['', '*', '*.example.com', 'a b', 'a..b', '300.1.1.1']) refused(() => judge(policy('allow *'), host))
  })

  it('says which of several names it cuts off', () => {
    expect(cutOff(policy('allow api.one.example'), ['api.one.example', 'api.two.example'])).to.deep.equal(['api.two.example'])
    expect(cutOff(policy('open'), ['api.two.example'])).to.deep.equal([])
  })
})

describe('A policy in a file', () => {
  it('is one rule a line, with comments', () => {
    const text = '\uFEFF# mine\r\nallow  Example.com   # the site\n\n\tdeny *.example.com\ninclude defaults'
    expect(parsePolicy(text, 'f')).to.deep.equal({ rules: [{ domain: 'example.com', action: 'allow' }, { domain: '*.example.com', action: 'deny' }, { include: 'defaults' }] })
  })

  it('is JSON as Sprites has it', () => {
    const rules = [{ domain: 'example.com', action: 'allow' as const }]
    expect(parsePolicy(JSON.stringify({ rules }, undefined, 2), 'f')).to.deep.equal({ rules })
    expect(parsePolicy(`\n ${JSON.stringify(rules)}`, 'f')).to.deep.equal({ rules })
  })

  it('may be a name', () => {
    expect(policy('open')).to.deep.equal({ rules: [] })
    expect(policy('none # nothing')).to.deep.equal({ rules: [{ domain: '*', action: 'deny' }] })
    expect(policy('defaults')).to.deep.equal({ rules: [{ include: 'defaults' }] })
  })

  it('reads back what is written', () => {
    for (const text of ['open', 'allow a.com\ndeny *.b.com\ninclude defaults\ndeny *']) expect(formatPolicy(parsePolicy(text, 'f'))).to.equal(text)
  })

  const bad: Readonly<Record<string, RegExp>> = {
    '': /^f: there is no rule in it/,
    '# nothing\n\n': /^f: there is no rule in it/,
    'example.com': /^f: line 1: "example\.com" is none of allow, deny and include/,
    'allow a.com\n\n# x\nallow': /^f: line 4: allow what\?/,
    'allow a.com b.com': /^f: line 1: there is more than one domain/,
    'allow a.com\nopen': /^f: line 2: "open" is none/,
    'include everything': /^f: line 1: there is no list/,
    'allow a.com\n\nallow http://b.com': /^f: line 3: .* is a URL/,
    'allow a.com\n#\ndeny A.com': /^f: line 3: deny a\.com contradicts line 1, allow a\.com/,
    '{"rules":[': /^f: no JSON: /,
    '{"rules":[]} x': /^f: no JSON: /,
    '{"rules":[{"domain":"a..b","action":"allow"}]}': /^f: rule 1: "a\.\.b" has an empty part/,
  }
  for (const [text, why] of Object.entries(bad)) {
    it(`${JSON.stringify(text)} is refused`, () => {
      const { message, hint } = refused(() => parsePolicy(text, 'f'))
      expect(message).to.match(why)
      if (text === '') expect(hint).to.contain('amux computer network reset')
    })
  }
})

describe('A policy on the command line', () => {
  const at = mkdtempSync(join(tmpdir(), 'amux-test-'))
  after(() => rmSync(at, { recursive: true }))
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(at, name), content)
    return join(at, name)
  }
  const failure = async (work: Promise<unknown>) => work.then(() => expect.fail('it went well'), (error: unknown) => normalise(error))

  it('is a name, a file or standard input', async () => {
    expect(await readPolicy('none')).to.deep.equal({ rules: [{ domain: '*', action: 'deny' }] })
    expect(await readPolicy(file('policy', 'allow a.com'))).to.deep.equal({ rules: [{ domain: 'a.com', action: 'allow' }] })
    expect(await readPolicy('-', Readable.from([Buffer.from('allow b.c'), Buffer.from('om\n')]))).to.deep.equal({ rules: [{ domain: 'b.com', action: 'allow' }] })
  })

  it('of a new computer may be none at all', async () => {
    expect(await networkOption('open')).to.deep.equal({ access: 'open' })
    expect(await networkOption('none')).to.deep.equal({ access: 'none' })
    expect(await networkOption('defaults')).to.deep.equal({ policy: { rules: [{ include: 'defaults' }] } })
    expect(await networkOption(file('policy', 'deny *'))).to.deep.equal({ policy: { rules: [{ domain: '*', action: 'deny' }] } })
  })

  it('that cannot be read says so', async () => {
    const missing = await failure(readPolicy(join(at, 'missing')))
    expect(missing.code).to.equal('not_found')
    expect(missing.hint).to.contain('open, none, defaults')
    expect((await failure(readPolicy(at))).message).to.contain(at)
    expect((await failure(readPolicy(file('binary', Buffer.from([0xc3, 0x28]))))).message).to.contain('not UTF-8')
    expect((await failure(readPolicy(file('wrong', 'permit a.com')))).message).to.match(/wrong: line 1: /)
    expect(hasCode(await failure(readPolicy('')), 'invalid_argument')).to.equal(true)
  })

  const targets: Readonly<Record<string, object>> = {
    'example.com': { host: 'example.com' },
    'example.com:443': { host: 'example.com', port: 443 },
    '203.0.113.7:53': { host: '203.0.113.7', port: 53 },
    '2001:db8::1': { host: '2001:db8::1' },
    '[2001:db8::1]': { host: '2001:db8::1' },
    '[2001:db8::1]:53': { host: '2001:db8::1', port: 53 },
    'https://user@example.com:8443/x:1': { host: 'example.com', port: 8443 },
    'HTTPS://example.com?x': { host: 'example.com' },
    'http://[::1]:80/': { host: '::1', port: 80 },
  }
  for (const [text, target] of Object.entries(targets)) it(`${text} is a host`, () => expect(parseTarget(text)).to.deep.equal(target))

  it('refuses a host that is none', () => {
    for (const text of ['', ':80', 'a:0', 'a:65536', 'http:///x']) refused(() => parseTarget(text))
  })
})

describe('Changing a policy', () => {
  const put1 = (before: string, action: 'allow' | 'deny', ...domains: string[]) => formatPolicy(put(policy(before), action, domains))

  it('adds what is allowed or denied, whatever was said of it before', () => {
    expect(put1('allow a.com', 'allow', 'b.com')).to.equal('allow a.com\nallow b.com')
    expect(put1('allow a.com; allow b.com', 'deny', 'A.com')).to.equal('allow b.com\ndeny a.com')
    expect(put1('allow a.com; allow b.com', 'allow', 'a.com')).to.equal('allow a.com\nallow b.com')
    expect(put1('allow a.com', 'allow', 'b.com', 'B.com', '*.b.com')).to.equal('allow a.com\nallow b.com\nallow *.b.com')
    expect(put1('allow a.com', 'allow', 'defaults')).to.equal('allow a.com\ninclude defaults')
    expect(put1('include defaults', 'allow', 'defaults')).to.equal('include defaults')
  })

  it('of an open computer denies only what was named', () => {
    expect(put1('open', 'deny', 'evil.com')).to.equal('allow *\ndeny evil.com')
    expect(put1('open', 'deny', '*')).to.equal('deny *')
    expect(put1('open', 'deny', '*', 'evil.com')).to.equal('deny *\ndeny evil.com')
  })

  it('of an open computer allows only what was named', () => {
    expect(put1('open', 'allow', 'a.com')).to.equal('allow a.com')
  })

  it('refuses to deny the list, and bad domains', () => {
    expect(refused(() => put(policy('open'), 'deny', ['defaults'])).hint).to.contain('network rm defaults')
    refused(() => put(policy('open'), 'allow', ['a.com', 'b..com']))
  })

  it('takes rules away, and names what is not there', () => {
    expect(formatPolicy(drop(policy('allow a.com; include defaults; deny *'), ['A.com.', 'defaults']))).to.equal('deny *')
    const missing = (text: string) => {
      try {
        return drop(policy('allow example.com'), [text])
      } catch (error) {
        return normalise(error)
      }
    }
    expect(missing('exampel.com')).to.include({ code: 'not_found', hint: 'Did you mean example.com?' })
    expect(missing('other.org')).to.include({ code: 'not_found', hint: 'See which there are: amux computer network show' })
  })

  it('says what came and went', () => {
    expect(difference(policy('allow a.com; deny b.com'), policy('deny a.com; deny b.com; include defaults'))).to.deep.equal({
      added: [{ domain: 'a.com', action: 'deny' }, { include: 'defaults' }],
      removed: [{ domain: 'a.com', action: 'allow' }],
    })
  })
})

describe('A policy in a line', () => {
  const cases: Readonly<Record<string, string>> = {
    open: 'open: everything is allowed',
    none: 'everything is denied',
    'allow *': 'every domain is allowed',
    'allow a.com; deny b.a.com': 'allowed: a.com; denied: b.a.com; everything else is denied',
    'include defaults; allow a.com': 'allowed: the defaults, a.com; everything else is denied',
    'allow *; deny evil.com': 'denied: evil.com; every other domain is allowed',
    'deny evil.com': 'everything is denied',
    'allow a.com; allow b.com; allow c.com; allow d.com; allow e.com; allow f.com; allow g.com': 'allowed: a.com, b.com, c.com, d.com, e.com and 2 more; everything else is denied',
  }
  for (const [text, line] of Object.entries(cases)) it(text, () => expect(describePolicy(policy(text))).to.equal(line))
})

describe('What amux-net reads', () => {
  it('is the document and one action for each domain', () => {
    expect(policyText({ rules: [] })).to.equal('amux-policy 1\ndocument {"rules":[]}\n')
    expect(policyText(policy('deny *.b.com; allow A.com; deny *'))).to.equal(
      'amux-policy 1\ndocument {"rules":[{"domain":"*.b.com","action":"deny"},{"domain":"a.com","action":"allow"},{"domain":"*","action":"deny"}]}\ndeny *.b.com\nallow a.com\ndeny *\n',
    )
  })

  it('has lists written out, and own rules before them', () => {
    const lines = policyText(policy('include defaults; deny github.com')).trim().split('\n').slice(2)
    expect(lines).to.have.length(defaults.flatMap(({ domains }) => domains).length)
    expect(lines).to.include('deny github.com').and.include('allow *.github.com').and.not.include('allow github.com')
  })

  it('is made of a valid policy only', () => {
    refused(() => policyText({ rules: [{ domain: 'a\nallow *', action: 'allow' }] }))
    expect(policyText(checkPolicy([{ domain: 'A.com', action: 'allow' }]))).to.contain('\nallow a.com\n')
  })
})
