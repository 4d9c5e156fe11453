import { expect } from 'chai'
import { describe, it } from 'mocha'
import { once } from 'node:events'
import { Duplex, PassThrough, Readable, Writable } from 'node:stream'
import type { ByteStream } from '../../src/contract/index.ts'
import { bytes, collect, drained, duplexOf, pump, sinkOf, sourceOf } from '../../src/util/streams.ts'

describe('streams', () => {
  it('read at the pace of the reader', async () => {
    let made = 0
    const endless = new Readable({ read() { this.push(Buffer.alloc(64 * 1024, ++made)) } })
    const iterator = sourceOf(endless)[Symbol.asyncIterator]()
    await iterator.next()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(made).to.be.lessThan(20)
    await iterator.return?.()
    expect(endless.destroyed).to.equal(true)
  })

  it('give every byte before the end, in order', async () => {
    const stream = new PassThrough()
    for (let n = 0; n < 100; n++) stream.write(Buffer.from([n]))
    stream.end()
    expect([...(await collect(sourceOf(stream)))]).to.deep.equal(Array.from({ length: 100 }, (_, n) => n))
  })

  it('fail with the error, also one from before anybody read', async () => {
    const early = new PassThrough()
    const source = sourceOf(early, { computer: 'c' })
    early.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    await new Promise((resolve) => setImmediate(resolve))
    expect(await collect(source).catch((error: unknown) => error)).to.include({ code: 'connection_lost', computer: 'c' })
    const cut = new PassThrough()
    const reading = collect(sourceOf(cut)).catch((error: unknown) => error)
    cut.destroy()
    expect(await reading).to.include({ code: 'connection_lost' })
  })

  it('end a source that nobody reads on', async () => {
    const stream = new PassThrough()
    stream.write('one')
    for await (const chunk of sourceOf(stream)) {
      expect(String(chunk)).to.equal('one')
      break
    }
    expect(stream.destroyed).to.equal(true)
  })

  it('write at the pace of who takes it, and fail when that is gone', async () => {
    const taken: number[] = []
    const release: (() => void)[] = []
    const slow = new Writable({ highWaterMark: 10, write(chunk: Buffer, _encoding, done) { taken.push(chunk.length); release.push(done) } })
    const sink = sinkOf(slow)
    let second = false
    const writing = sink.write(Buffer.alloc(20)).then(() => (second = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(second).to.equal(false)
    release.shift()?.()
    await writing
    const failing = sink.write(Buffer.alloc(20)).catch((error: unknown) => error)
    slow.destroy(Object.assign(new Error('pipe'), { code: 'EPIPE' }))
    expect(await failing).to.include({ code: 'connection_lost' })
    expect(await sink.write(Buffer.alloc(1)).catch((error: unknown) => error)).to.include({ code: 'connection_lost' })
    expect(await drained(slow)).to.equal(false)
  })

  it('end once, however often they are told', async () => {
    const stream = new PassThrough()
    const sink = sinkOf(stream)
    await sink.write(Buffer.from('x'))
    const ends = Promise.all([sink.end(), sink.end()])
    stream.resume()
    await ends
    expect(stream.writableFinished).to.equal(true)
  })

  it('become a Node stream both ways, with what was read before', async () => {
    const written: Uint8Array[] = []
    let closed = 0
    const stream: ByteStream = {
      source: bytes(Buffer.from('two'), Buffer.from('three')),
      sink: { write: async (chunk) => void written.push(chunk), end: async () => void written.push(Buffer.from('END')) },
      close: () => (closed += 1),
    }
    const duplex = duplexOf(stream, Buffer.from('one'))
    expect(duplex).to.be.instanceOf(Duplex)
    duplex.end('out')
    expect(String(await collect(sourceOf(duplex)))).to.equal('onetwothree')
    if (!duplex.closed) await once(duplex, 'close')
    expect(Buffer.concat(written).toString()).to.equal('outEND')
    expect(closed).to.equal(1)
  })

  it('pass a failure of the source into the Node stream', async () => {
    const failing = async function* () {
      yield Buffer.from('x')
      throw new Error('broke')
    }
    const duplex = duplexOf({ source: failing(), sink: sinkOf(new PassThrough()), close: () => {} })
    const [error] = (await Promise.all([once(duplex, 'error'), Promise.resolve(duplex.resume())]))[0] as [Error]
    expect(error.message).to.equal('broke')
  })

  it('move bytes without ending the target, and collect only so much', async () => {
    const target = new PassThrough()
    await pump(bytes(Buffer.from('a'), Buffer.from('b')), sinkOf(target))
    expect(target.writableEnded).to.equal(false)
    expect(String(target.read())).to.equal('ab')
    expect(await collect(bytes(Buffer.alloc(100)), 10).catch((error: unknown) => error)).to.include({ code: 'failed' })
  })
})
