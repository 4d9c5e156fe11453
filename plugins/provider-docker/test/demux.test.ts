import { expect } from 'chai'
import { describe, it } from 'mocha'
import { PassThrough } from 'node:stream'
import { part } from '../src/engine/demux.ts'
import { firstLine } from '../src/engine/handshake.ts'

function frame(stream: 1 | 2, text: string): Buffer {
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(text.length, 4)
  return Buffer.concat([head, Buffer.from(text)])
}

async function all(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(chunk)
  return Buffer.concat(parts).toString()
}

describe('an engine\'s stream', () => {
  const bytes = Buffer.concat([frame(1, 'one '), frame(2, 'bad '), frame(1, ''), frame(1, 'two'), frame(2, 'worse')])

  it('is taken apart wherever it is cut', async () => {
    for (let size = 1; size <= bytes.length; size++) {
      const socket = new PassThrough()
      const { stdout, stderr, ended } = part(socket, false)
      for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size))
      socket.end()
      expect(await Promise.all([all(stdout.source), all(stderr.source)])).to.deep.equal(['one two', 'bad worse'])
      await ended
    }
  })

  it('that ends within a frame is broken, not ended', async () => {
    for (const length of [3, 10, bytes.length - 1]) {
      const socket = new PassThrough()
      const { stdout, ended } = part(socket, false)
      socket.end(bytes.subarray(0, length))
      const outcome = await Promise.allSettled([all(stdout.source), ended])
      expect(outcome.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    }
  })

  it('waits for a reader, and not for one that left', async () => {
    const socket = new PassThrough()
    const { stdout } = part(socket, true)
    for (let n = 0; n < 64; n++) socket.write(Buffer.alloc(64 * 1024))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(stdout.waiting).to.be.lessThan(2 * 1024 * 1024)
    for await (const _ of stdout.source) break
    await new Promise<void>((resolve) => socket.write('last', () => resolve()))
    expect(socket.writableLength).to.equal(0)
  })

  it('begins with a line of our own', async () => {
    const cut = async function* (...parts: readonly string[]) {
      for (const one of parts) yield Buffer.from(one)
    }
    const begun = await firstLine(cut('star', 'ted\nre', 'st'))
    expect(begun.line).to.equal('started')
    expect(await all(begun.rest)).to.equal('rest')
    const none = await firstLine(cut('no line'))
    expect(none.line).to.equal(undefined)
    expect(await all(none.rest)).to.equal('no line')
  })
})
