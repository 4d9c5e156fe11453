import type { Connection, Headers } from './connection.ts'

/** What the parts of a guest client need from the whole. */
export interface SessionHost {
  /** The living connection, or a new one. */
  connection(signal?: AbortSignal): Promise<Connection>
  /** On everything that asks for something new. */
  readonly headers: Headers
  /** How long a lost connection is tried again, in milliseconds awake. */
  readonly patience: number
  readonly provider?: string | undefined
  readonly computer?: string | undefined
  /** Told when a session's connection broke, and when it is back. */
  onConnection?: ((state: 'lost' | 'back') => void) | undefined
}
