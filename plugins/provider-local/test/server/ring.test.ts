import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Ring, type StreamNumber } from '../../src/server/sprite/ring.ts'

const KIB = 1024

describe('the ring of a session', () => {
  const all = (ring: Ring) => {
    const cursor = ring.oldest()
    const read: [StreamNumber, string][] = []
    for (let next = ring.take(cursor); next !== undefined && next !== 'lost'; next = ring.take(cursor)) read.push([next.stream, Buffer.concat(next.parts).toString()])
    return read
  }

  it('gives back both streams in the order they came, to whoever begins when', () => {
    const ring = new Ring(() => 100 * KIB, [10, 20])
    const early = ring.oldest()
    ring.push(1, Buffer.from('a'))
    ring.push(1, Buffer.from('b'))
    ring.push(2, Buffer.from('c'))
    ring.push(1, Buffer.from('d'))
    expect(all(ring)).to.deep.equal([[1, 'ab'], [2, 'c'], [1, 'd']])
    expect([ring.start(1), ring.start(2), ring.total]).to.deep.equal([10, 20, 4])
    expect(ring.take(early)).to.deep.include({ stream: 1, size: 2 })
    expect(early.position).to.equal(2)
  })

  it('goes on where a reader was, also in what still grows', () => {
    const ring = new Ring(() => 100 * KIB, [0, 0])
    const cursor = ring.oldest()
    for (const text of ['one', 'two', 'three']) {
      ring.push(1, Buffer.from(text))
      const next = ring.take(cursor)
      expect(next).to.be.an('object')
      if (next !== undefined && next !== 'lost') expect(Buffer.concat(next.parts).toString()).to.equal(text)
      expect(ring.take(cursor)).to.equal(undefined)
    }
  })

  it('keeps the newest, knows its offset, and says what is lost', () => {
    const ring = new Ring(() => 64 * KIB, [0, 0])
    const late = ring.oldest()
    const data = Buffer.alloc(300 * KIB, 'x')
    for (let at = 0; at < data.length; at += 1000) ring.push(1, data.subarray(at, at + 1000))
    expect(ring.take(late)).to.equal('lost')
    const kept = all(ring).map(([, text]) => text).join('').length
    expect(ring.start(1) + kept).to.equal(data.length)
    expect(kept).to.be.within(16 * KIB, 64 * KIB)
    expect(ring.oldest().position).to.equal(ring.start(1))
  })

  it('takes no more memory for a program that writes byte by byte to both', () => {
    const ring = new Ring(() => 1024 * KIB, [0, 0])
    for (let n = 0; n < 100_000; n++) ring.push(n % 2 === 0 ? 1 : 2, Buffer.from('x'))
    expect(all(ring).length).to.be.below(1024)
  })
})
