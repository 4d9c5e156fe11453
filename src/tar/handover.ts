import type { Socket } from 'node:net'
import { isNotStarted } from './program.ts'

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
  openSocket(signal: AbortSignal | undefined): Promise<Opened | undefined>
}

export interface Opened {
  /** Nothing was read of it. */
  readonly socket: Socket
  /** Rejects where what came is not the whole: the end of a socket says nothing. */
  readonly finished: Promise<void>
  /** Breaks it off: `finished` settles. */
  cancel(): void
  readonly onBytes?: ((count: number) => void) | undefined
}

export function writes(source: AsyncIterable<Uint8Array>): source is Writes {
  return 'writeTo' in source
}

export function opens(source: AsyncIterable<Uint8Array>): source is Opens {
  return 'openSocket' in source
}

/** How long the other end may take to say what it thinks of a failure here. */
const WORD_MS = 1000

/**
 * Runs this end, `work`, until both ends are done; its signal fires as well where the other end failed, whose program may
 * outlive whoever arranged for it. Rejects with what went wrong at the `origin` of the bytes, which is why the other end
 * has not got all of them; else with what went wrong at the other.
 */
export async function handOver(opened: Opened, origin: 'here' | 'there', signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const failed = new AbortController()
  let gaveUp = false
  const there = outcome(opened.finished)
  void there.then((error) => error === undefined || failed.abort())
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const here = await outcome(work(stop))
  const timer = here && setTimeout(() => ((gaveUp = true), opened.cancel()), WORD_MS)
  const theirs = await there
  clearTimeout(timer)
  signal?.throwIfAborted()
  const [mine, yours] = [here?.reason === stop.reason && stop.aborted ? undefined : here, gaveUp ? undefined : theirs]
  const first = here && isNotStarted(here.reason) ? here : origin === 'here' ? (mine ?? yours) : (yours ?? mine)
  if (first) throw first.reason
}

interface Failed {
  readonly reason: unknown
}

function outcome(work: Promise<void>): Promise<Failed | undefined> {
  return work.then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  )
}
