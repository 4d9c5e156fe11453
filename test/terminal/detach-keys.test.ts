import { expect } from 'chai'
import { describe, it } from 'mocha'
import { DEFAULT_DETACH_KEYS, DetachScanner, parseDetachKeys } from '../../src/terminal/detach-keys.ts'

function typed(keys: string, ...chunks: readonly string[]): { readonly forwarded: string; readonly detached: boolean } {
  const scanner = new DetachScanner(parseDetachKeys(keys))
  let forwarded = ''
  for (const chunk of chunks) {
    const { forward, detach } = scanner.scan(Buffer.from(chunk))
    forwarded += Buffer.from(forward).toString()
    if (detach) return { forwarded, detached: true }
  }
  return { forwarded, detached: false }
}

describe('detach keys', () => {
  it('are Ctrl-\\ unless told otherwise', () => {
    expect(typed(DEFAULT_DETACH_KEYS, 'abc\x1cdef')).to.deep.equal({ forwarded: 'abc', detached: true })
    expect(typed(DEFAULT_DETACH_KEYS, 'abc\x03\x1a\x1b')).to.deep.equal({ forwarded: 'abc\x03\x1a\x1b', detached: false })
  })

  it('may be a sequence, which the program sees nothing of', () => {
    expect(typed('ctrl-p,ctrl-q', 'a\x10', '\x11b')).to.deep.equal({ forwarded: 'a', detached: true })
    expect(typed('ctrl-p,ctrl-q', 'a\x10')).to.deep.equal({ forwarded: 'a', detached: false })
    expect(typed('ctrl-p,ctrl-q', 'a\x10', 'b')).to.deep.equal({ forwarded: 'a\x10b', detached: false })
    expect(typed('ctrl-p,ctrl-q', '\x10\x10\x11')).to.deep.equal({ forwarded: '\x10', detached: true })
    expect(typed('~,.', 'x~~.')).to.deep.equal({ forwarded: 'x~', detached: true })
  })

  it('can be switched off', () => {
    expect(typed('', 'a\x1cb')).to.deep.equal({ forwarded: 'a\x1cb', detached: false })
  })

  it('are recognised as terminals send them in the extended keyboard protocols', () => {
    for (const key of ['\x1b[92;5u', '\x1b[92;5:1u', '\x1b[92::92;69u', '\x1b[92;5;28u', '\x1b[27;5;92~']) {
      expect(typed(DEFAULT_DETACH_KEYS, `ab${key}cd`), JSON.stringify(key)).to.deep.equal({ forwarded: 'ab', detached: true })
    }
    for (const key of ['\x1b[92;5:3u', '\x1b[92u', '\x1b[92;7u', '\x1b[91;5u', '\x1b[A']) {
      expect(typed(DEFAULT_DETACH_KEYS, key), JSON.stringify(key)).to.deep.equal({ forwarded: key, detached: false })
    }
    expect(typed('ctrl-p,ctrl-q', '\x1b[112;5u', '\x1b[112;5:3u', '\x1b[113;5u')).to.deep.equal({ forwarded: '', detached: true })
  })

  it('are refused by name when they are none', () => {
    for (const spec of ['ctrl-', 'ctrl-ä', 'ab', ',', 'ctrl-p,', 'alt-x', ' ']) {
      expect(() => parseDetachKeys(spec), spec).to.throw(/is no key/).with.property('code', 'invalid_argument')
    }
  })
})
