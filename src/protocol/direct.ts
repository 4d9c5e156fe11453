import type { Path } from './paths.ts'

/**
 * `<run>/direct.sock`: for a client on the same machine that wants one thing, and no HTTP/2. A connection is one stream:
 * a line of JSON, then frames both ways. A failure is an `error` frame. Whoever is done half-closes.
 */
export type DirectRequest = (DirectProgram | DirectTunnel) & {
  /** As the header `amux-nonce`. */
  readonly nonce?: string
}

/** The frames are those of `exec` or `attach`. */
export interface DirectProgram {
  readonly path: typeof Path.exec | typeof Path.attach
}

/**
 * `open`, empty, says that it stands. Then `stdin` from the client and `stdout` to it, and `eof` ends a direction:
 * without it the connection broke. `Hello.directTunnels` says whether the guest knows this.
 */
export interface DirectTunnel {
  readonly path: typeof Path.tunnel
  readonly host: string
  readonly port: number
}

/** A longer first line is none. */
export const DIRECT_LINE_MAX = 4096
