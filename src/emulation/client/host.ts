import type { Duplex } from 'node:stream'
import type { AmuxError } from '../../contract/index.ts'
import type { Connection, Headers } from './connection.ts'

/** One stream of frames to the guest and back; `response` comes before its first byte. */
export interface FrameStream extends Duplex {
  /** Ends both directions at once. */
  close(code?: number): void
}

/** What carries such streams: an HTTP/2 connection, or a socket that is one. */
export interface Carrier {
  request(method: string, path: string, headers?: Headers, last?: boolean): FrameStream
  readonly lost: boolean
  /** Why it was lost. */
  failure(): AmuxError
}

/** What the parts of a guest client need from the whole. */
export interface SessionHost {
  /** The living connection, or a new one. */
  connection(signal?: AbortSignal): Promise<Carrier>
  /** The guest's `run` as it is on this machine, where doors are; undefined where it is not. */
  readonly doorway?: () => string | undefined
  /** On everything that asks for something new. */
  readonly headers: Headers
  /** How long a lost connection is tried again, in milliseconds awake. */
  readonly patience: number
  readonly provider?: string | undefined
  readonly computer?: string | undefined
  /** Told when a session's connection broke, and when it is back. */
  onConnection?: ((state: 'lost' | 'back') => void) | undefined
}

/** The same, for calls that need all of HTTP/2. */
export interface CallHost extends SessionHost {
  connection(signal?: AbortSignal): Promise<Connection>
}
