import { Duplex, type Readable, type Writable } from 'node:stream'
import type { ByteSink, ByteSource, ByteStream } from '../contract/index.ts'
import { type ErrorDetails, fail, normalise } from '../errors/index.ts'
import { Bell } from './bell.ts'

const READ_AHEAD = 256 * 1024

/** A Node stream's bytes as a source. It may fail before anybody reads: the error waits for the reader. */
export function sourceOf(readable: Readable, details: ErrorDetails = {}): ByteSource {
  readable.on('error', ignore)
  return { [Symbol.asyncIterator]: () => chunks(readable, details) }
}

/**
 * Not Node's own iterator: that takes an HTTP/2 stream whose last bytes arrived, unread, for a broken one. No copying:
 * chunks come as they were read.
 */
async function* chunks(readable: Readable, details: ErrorDetails): AsyncGenerator<Uint8Array, void> {
  const queue: Uint8Array[] = []
  const bell = new Bell()
  let waiting = 0
  let failure: unknown
  const onData = (chunk: Uint8Array) => {
    queue.push(chunk)
    waiting += chunk.length
    if (waiting >= READ_AHEAD) readable.pause()
    bell.ring()
  }
  const onError = (error: unknown) => {
    failure ??= error
    bell.ring()
  }
  const onChange = () => bell.ring()
  readable.on('error', onError).on('end', onChange).on('close', onChange).on('data', onData)
  try {
    for (;;) {
      const chunk = queue.shift()
      if (chunk !== undefined) {
        waiting -= chunk.length
        if (waiting === 0 && readable.isPaused()) readable.resume()
        yield chunk
      } else if (failure !== undefined || readable.errored !== null) throw normalise(failure ?? readable.errored, details)
      else if (readable.readableEnded) return
      else if (readable.destroyed) throw fail('connection_lost', 'the stream ended before its end', details)
      else await bell.heard()
    }
  } finally {
    readable.off('data', onData).off('end', onChange).off('close', onChange)
    if (!readable.readableEnded) readable.destroy()
  }
}

export function sinkOf(writable: Writable, details: ErrorDetails = {}): ByteSink {
  let failure: unknown
  let ended: Promise<void> | undefined
  writable.on('error', (error) => (failure ??= error))
  const gone = () => normalise(failure ?? fail('connection_lost', 'the far end is gone'), details)

  return {
    async write(chunk) {
      if (writable.destroyed || writable.writableEnded) throw gone()
      if (writable.write(chunk)) return
      if (!(await drained(writable))) throw gone()
    },
    end() {
      ended ??= new Promise((resolve, reject) => {
        if (writable.destroyed) return writable.writableFinished ? resolve() : reject(gone())
        writable.once('close', () => (writable.writableFinished ? resolve() : reject(gone())))
        writable.end(() => resolve())
      })
      return ended
    },
  }
}

/** Whether it takes more; `false` when it was destroyed instead. */
export function drained(writable: Writable): Promise<boolean> {
  if (writable.destroyed) return Promise.resolve(false)
  if (!writable.writableNeedDrain) return Promise.resolve(true)
  return new Promise((resolve) => {
    const settle = (open: boolean) => {
      writable.off('drain', onDrain).off('close', onClose).off('error', onClose)
      resolve(open)
    }
    const onDrain = () => settle(true)
    const onClose = () => settle(false)
    writable.on('drain', onDrain).on('close', onClose).on('error', onClose)
  })
}

export function streamOf(duplex: Duplex, details: ErrorDetails = {}): ByteStream {
  return { source: sourceOf(duplex, details), sink: sinkOf(duplex, details), close: () => void duplex.destroy() }
}

/** For what wants a Node stream. `first` are bytes that were read already. */
export function duplexOf(stream: ByteStream, first?: Uint8Array, iterator = stream.source[Symbol.asyncIterator]()): Duplex {
  let pulling = false
  const pull = async () => {
    if (pulling) return
    pulling = true
    try {
      for (;;) {
        const next = await iterator.next()
        if (duplex.destroyed) return
        if (next.done === true) return void duplex.push(null)
        if (!duplex.push(next.value)) return
      }
    } catch (error) {
      duplex.destroy(error instanceof Error ? error : normalise(error))
    } finally {
      pulling = false
    }
  }
  const duplex = new Duplex({
    read: () => void pull(),
    write: (chunk: Uint8Array, _encoding, done) => report(stream.sink.write(chunk), done),
    final: (done) => report(stream.sink.end(), done),
    destroy(error, done) {
      stream.close()
      done(error)
    },
  })
  if (first !== undefined && first.length > 0) duplex.push(first)
  return duplex
}

function report(work: Promise<void>, done: (error?: Error | null) => void): void {
  // Not in the promise: what `done` throws is not the work's failure.
  work.then(
    () => process.nextTick(done),
    (error: unknown) => process.nextTick(done, normalise(error)),
  )
}

/** Moves all bytes, at the pace of the slower. Does not end the sink. */
export async function pump(source: ByteSource, sink: Pick<ByteSink, 'write'>): Promise<void> {
  for await (const chunk of source) await sink.write(chunk)
}

/** Everything, for what is known to be small; fails beyond the limit instead of filling the memory. */
export async function collect(source: ByteSource, limit = 1024 * 1024): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > limit) throw fail('failed', `more than ${limit} bytes where little was expected`)
    parts.push(chunk)
  }
  return Buffer.concat(parts, size)
}

export async function* bytes(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* parts
}

function ignore(): void {
  // The reader gets it from the iterator.
}
