import { expect } from 'chai'
import { describe, it } from 'mocha'
import { normaliseDomain } from '../../src/emulation/network/domain.ts'
import { MOST_RULES, checkPolicy } from '../../src/emulation/network/rules.ts'
import { presets } from '../../src/emulation/network/presets.ts'
import { defaults } from '../../src/emulation/network/defaults.ts'
import { cutOff } from '../../src/emulation/network/describe.ts'
import { roster } from '../../src/agents/index.ts'
import { refused } from './network-lab.ts'

const long = `${`${'a'.repeat(61)}.`.repeat(4)}comma`

describe('A domain in a network policy', () => {
  const good: Readonly<Record<string, string>> = {
    'example.com': 'example.com',
    'EXAMPLE.Com': 'example.com',
    'example.com.': 'example.com',
    '*.Example.com.': '*.example.com',
    '*': '*',
    '*.com': '*.com',
    intranet: 'intranet',
    'bücher.example': 'xn--bcher-kva.example',
    'BU\u0308CHER.example': 'xn--bcher-kva.example',
    '*.bücher.example': '*.xn--bcher-kva.example',
    'faß.de': 'xn--fa-hia.de',
    'ex\u3002com': 'ex.com',
    'xn--bcher-kva.example': 'xn--bcher-kva.example',
    '_dmarc.a_b.example.com': '_dmarc.a_b.example.com',
    'r3---sn.example.com': 'r3---sn.example.com',
    '1e100.net': '1e100.net',
    '4.example': '4.example',
    [long]: long,
    [`${'a'.repeat(63)}.com`]: `${'a'.repeat(63)}.com`,
  }
  for (const [written, meant] of Object.entries(good)) {
    it(`${JSON.stringify(written.slice(0, 40))} is ${meant.slice(0, 40)}`, () => {
      expect(normaliseDomain(written)).to.equal(meant)
      expect(normaliseDomain(meant)).to.equal(meant)
    })
  }

  const bad: Readonly<Record<string, RegExp>> = {
    '': /is empty/,
    '.': /empty part/,
    '*.': /is empty/,
    'a..b': /empty part/,
    '.example.com': /empty part/,
    'example.com..': /empty part/,
    '*example.com': /a \* in a place of no meaning/,
    'a.*.com': /a \* in a place/,
    '*.*.com': /a \* in a place/,
    '**': /a \* in a place/,
    '192.0.2.1': /is an address/,
    '192.0.2.0/24': /is an address/,
    '2001:db8::1': /is an address/,
    '[2001:db8::1]': /is an address/,
    '2001:db8::/32': /is an address/,
    '::ffff:192.0.2.1': /is an address/,
    '0x7f.1': /is an address/,
    '3232235777': /is an address/,
    '1.2.3': /is an address/,
    '１.２.３.４': /is an address/,
    'example.com:443': /has a port/,
    'https://example.com/x': /is a URL/,
    'https://user:secret@example.com': /is a URL/,
    'example.com/path': /has a path/,
    'exa mple.com': /is no domain/,
    ' example.com': /is no domain/,
    'bü cher.de': /is no domain/,
    'bü%41.de': /is no domain/,
    'ü@b.de': /is no domain/,
    '-a.com': /has the part "-a"/,
    'a-.com': /has the part/,
    'a\tb.com': /is no domain/,
    'a\nb.com': /is no domain/,
    'a"b.com': /has the part/,
    'a\u0000b.com': /is no domain|has the part/,
    '\u202Eabc.com': /is no domain/,
    [`${'a'.repeat(64)}.com`]: /longer than 63/,
    [`a${long}`]: /longer than 253/,
    [`*.${long}`]: /longer than 253/,
    [`${'ü'.repeat(60)}.com`]: /longer than 63|is no domain/,
  }
  for (const [written, why] of Object.entries(bad)) {
    it(`${JSON.stringify(written.slice(0, 40))} is refused`, () => {
      expect(refused(() => normaliseDomain(written)).message).to.match(why)
    })
  }

  it('that is something else is refused with what to write instead', () => {
    expect(refused(() => normaliseDomain('https://user:secret@example.com:8443/x?y')).hint).to.equal('Write its domain alone: example.com')
    expect(refused(() => normaliseDomain('example.com:443')).hint).to.contain('whatever the port: example.com')
    expect(refused(() => normaliseDomain('example.com/a/b')).hint).to.contain('example.com')
    expect(refused(() => normaliseDomain('192.0.2.1')).hint).to.contain('Give the name')
    expect(refused(() => normaliseDomain('foo*')).hint).to.contain('*.example.com')
  })
})

describe('A network policy', () => {
  it('is a document with rules, or the rules alone', () => {
    const rules = [{ domain: 'Example.com.', action: 'allow' }, { include: 'defaults' }, { domain: '*', action: 'deny' }]
    const checked = { rules: [{ domain: 'example.com', action: 'allow' }, { include: 'defaults' }, { domain: '*', action: 'deny' }] }
    expect(checkPolicy({ rules })).to.deep.equal(checked)
    expect(checkPolicy(rules)).to.deep.equal(checked)
    expect(checkPolicy({ rules: [] })).to.deep.equal({ rules: [] })
  })

  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['nothing', undefined, /not an object/],
    ['null', null, /not an object/],
    ['a text', 'allow example.com', /not an object/],
    ['no rules', {}, /not an object with "rules"/],
    ['rules that are no list', { rules: {} }, /are not a list/],
    ['another key', { rules: [], version: 2 }, /has no "version"/],
    ['a rule that is a text', ['example.com'], /rule 1: is not an object/],
    ['a rule that is a list', [[]], /rule 1: is not an object/],
    ['a rule without a domain', [{ action: 'allow' }], /rule 1: its "domain"/],
    ['a domain that is no text', [{ domain: 1, action: 'allow' }], /rule 1: its "domain"/],
    ['a rule without an action', [{ domain: 'a.com' }], /rule 1: its "action"/],
    ['another action', [{ domain: 'a.com', action: 'Allow' }], /rule 1: its "action"/],
    ['another key of a rule', [{ domain: 'a.com', action: 'allow', ports: [443] }], /rule 1: a rule has no "ports"/],
    ['an include with an action', [{ include: 'defaults', action: 'allow' }], /rule 1: an include has no "action"/],
    ['another include', [{ include: 'everything' }], /rule 1: there is no list "everything"/],
    ['an include that is no text', [{ include: ['defaults'] }], /rule 1: there is no list/],
    ['a bad domain', [{ domain: 'a.com', action: 'allow' }, { domain: 'a..com', action: 'allow' }], /rule 2: "a\.\.com" has an empty part/],
    ['a rule twice', [{ domain: 'a.com', action: 'allow' }, { domain: 'A.com.', action: 'allow' }], /rule 2: a\.com is in rule 1 already/],
    ['a contradiction', [{ domain: 'a.com', action: 'allow' }, { domain: 'A.com.', action: 'deny' }], /rule 2: deny a\.com contradicts rule 1, allow a\.com/],
    ['an include twice', [{ include: 'defaults' }, { include: 'defaults' }], /rule 2: include defaults is in rule 1 already/],
    ['too many rules', Array.from({ length: MOST_RULES + 1 }, (_, index) => ({ domain: `d${index}.com`, action: 'allow' })), /10001 rules; 10000 are the most/],
  ]
  for (const [what, value, why] of bad) {
    it(`with ${what} is refused`, () => {
      expect(refused(() => checkPolicy(value)).message).to.match(why)
    })
  }

  it('has room for 10,000 rules, of the longest domains too', () => {
    const rules = Array.from({ length: MOST_RULES }, (_, index) => ({ domain: `d${index}.${long.slice(7)}`, action: 'allow' }))
    expect(checkPolicy(rules).rules).to.have.length(MOST_RULES)
  })
})

describe('The list of defaults', () => {
  const domains = defaults.flatMap((group) => group.domains)

  it('holds normal domains, none twice', () => {
    expect(domains.map(normaliseDomain)).to.deep.equal(domains)
    expect(new Set(domains).size).to.equal(domains.length)
  })

  it('reaches every agent\'s own service and its package', () => {
    expect(cutOff(presets.defaults, [...roster.flatMap(({ endpoints }) => endpoints), 'registry.npmjs.org'])).to.deep.equal([])
  })

  it('reaches what development needs', () => {
    const needed = ['github.com', 'codeload.github.com', 'objects.githubusercontent.com', 'pypi.org', 'files.pythonhosted.org', 'static.crates.io', 'proxy.golang.org', 'sum.golang.org', 'deb.debian.org', 'security.ubuntu.com', 'registry-1.docker.io', 'auth.docker.io', 'ghcr.io']
    expect(cutOff(presets.defaults, needed)).to.deep.equal([])
    expect(cutOff(presets.defaults, ['example.com', 'notgithub.com', 'github.com.evil.example'])).to.have.length(3)
  })
})
