/**
 * Bytes, in order, at the reader's pace: whoever produces them waits until the
 * previous chunk was taken. Leaving the loop early (`break`, `return()`) closes the source.
 */
export type ByteSource = AsyncIterable<Uint8Array>

/** Where bytes go. Each promise settles once the next chunk may be written: that is the backpressure. */
export interface ByteSink {
  /** Rejects with an `AmuxError` when the far end is gone. */
  write(chunk: Uint8Array): Promise<void>
  /** Half-close: the far end reads end-of-file, its own output still arrives. Idempotent. */
  end(): Promise<void>
}

/** A raw two-way connection. */
export interface ByteStream {
  readonly source: ByteSource
  readonly sink: ByteSink
  /** Ends both directions at once and frees what is behind them. Idempotent, never throws. */
  close(): void
}
