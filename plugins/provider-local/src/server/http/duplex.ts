import { Duplex } from 'node:stream'
import type { ByteStream } from '../../../../../src/contract/index.ts'

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
      void settle(sink.write(chunk), done)
    },
    final(done) {
      void settle(sink.end(), done)
    },
    destroy(error, done) {
      close()
      done(error)
    },
  })
}

async function settle(work: Promise<void>, done: (error?: Error | null) => void): Promise<void> {
  const failure = await work.then(() => undefined, (error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  done(failure)
}
