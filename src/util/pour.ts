import type { Writable } from 'node:stream'
import type { ByteStream } from '../contract/index.ts'

/** A stream whose source can also write itself elsewhere, in memory that it uses again. */
export interface Pourable extends ByteStream {
  /** Instead of the source. Resolves once all was written; does not end what it writes to. */
  pour(into: Writable): Promise<void>
}

export function isPourable(stream: ByteStream): stream is Pourable {
  return 'pour' in stream
}
