import { Duplex } from 'node:stream'

/**
 * A stream that takes every write at once. Node's HTTP/2 does not read while a write of its own is under way: with both
 * ends waiting for the other to read, neither ever would. What gathers here is bounded by the far end's windows.
 */
export function eager(below: Duplex): Duplex {
  const stream = new Duplex({
    read: () => void below.resume(),
    write(chunk, _encoding, done) {
      below.write(chunk)
      done()
    },
    writev(chunks, done) {
      below.cork()
      for (const { chunk } of chunks) below.write(chunk)
      below.uncork()
      done()
    },
    final(done) {
      below.end(() => done())
    },
    destroy(error, done) {
      below.destroy()
      done(error)
    },
  })
  below.on('data', (chunk: Uint8Array) => {
    if (!stream.push(chunk)) below.pause()
  })
  below.on('end', () => stream.push(null))
  below.on('error', (error) => stream.destroy(error))
  below.on('close', () => stream.destroy())
  return stream
}
