import type { Socket } from 'node:net'

/*
 * On one machine the bytes of an archive need not pass through those who arrange for it: the program that packs writes
 * to a socket that the program which unpacks reads.
 */

export interface HandoverOptions {
  readonly signal?: AbortSignal | undefined
  /** Told now and then how many bytes have passed. */
  readonly onBytes?: ((count: number) => void) | undefined
}

/** A source that may be asked to write itself to a socket instead of being read. */
export interface Writes extends AsyncIterable<Uint8Array> {
  /** The socket is the program's from then on. */
  writeTo(socket: Socket, options: HandoverOptions): Promise<void>
}

/** A source that may be read from a socket instead. */
export interface Opens extends AsyncIterable<Uint8Array> {
  /** Undefined: not this time, and nothing happened. */
  open(signal: AbortSignal | undefined): Promise<Opened | undefined>
}

export interface Opened {
  /** Nothing was read of it. */
  readonly socket: Socket
  /** Rejects where what came is not the whole: the end of a socket says nothing. */
  readonly finished: Promise<void>
  readonly onBytes?: ((count: number) => void) | undefined
}

export function writes(source: AsyncIterable<Uint8Array>): source is Writes {
  return 'writeTo' in source
}

export function opens(source: AsyncIterable<Uint8Array>): source is Opens {
  return 'open' in source
}

/** Fires with `signal`, or when it failed at the other end: the program there may outlive whoever arranged for it. */
export function orFailed({ finished }: Opened, signal: AbortSignal | undefined): AbortSignal {
  const failed = new AbortController()
  finished.catch(() => failed.abort())
  return signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
}
