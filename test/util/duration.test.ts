import { expect } from 'chai'
import { describe, it } from 'mocha'
import { hasCode } from '../../src/errors/index.ts'
import { formatAgo, formatDuration, parseDuration } from '../../src/util/duration.ts'

describe('A duration', () => {
  const good: Readonly<Record<string, number>> = { '30s': 30_000, '5m': 300_000, '90': 90_000, '1.5': 1500, '250ms': 250, '1h30m': 5_400_000, '2d': 172_800_000 }
  for (const [text, ms] of Object.entries(good)) {
    it(`of ${text} is ${ms} ms`, () => {
      expect(parseDuration(text)).to.equal(ms)
    })
  }

  for (const text of ['', 'soon', '5 m', '-1', '1x', 's', '0', '0s', '400d', '1m ', 'm5', '1e3', 'Infinity', 'NaN']) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parseDuration(text)).to.throw().that.satisfies((error: unknown) => hasCode(error, 'invalid_argument'))
    })
  }

  it('since something happened is told no finer than people care', () => {
    const now = Date.now()
    const ago = (ms: number) => formatAgo(new Date(now - ms).toISOString(), now)
    expect([-50, 124, 4900, 12_300, 190_000, 7_500_000, 273_600_000].map(ago)).to.deep.equal(['just now', 'just now', 'just now', '12 s ago', '3 min ago', '2 h ago', '3 d ago'])
    expect(formatAgo('?')).to.equal('')
  })

  it('is told shortly', () => {
    expect([12, 1500, 45_000, 180_000, 7_500_000, 273_600_000].map(formatDuration)).to.deep.equal(['12ms', '1.5s', '45s', '3m', '2h 5m', '3d 4h'])
  })
})
