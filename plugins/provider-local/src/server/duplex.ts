import { Duplex } from 'node:stream'
import type { ByteStream } from '../../../../src/contract/index.ts'

/** A connection into a computer as a Node stream, each direction ending on its own. */
export function duplexOf({ source, sink, close }: ByteStream): Duplex {
  const iterator = source[Symbol.asyncIterator]()
  return new Duplex({
    allowHalfOpen: true,
    read() {
      iterator.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
      )
    },
    write(chunk: Buffer, _encoding, done) {
      sink.write(chunk).then(() => done(), done)
    },
    final(done) {
      sink.end().then(() => done(), done)
    },
    destroy(error, done) {
      close()
      done(error)
    },
  })
}
