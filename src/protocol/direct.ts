import type { Path } from './paths.ts'

/**
 * `<run>/direct.sock`: for a client on the same machine that wants one program and has no time to load HTTP/2. A
 * connection is one stream: a line of JSON, then the frames of `exec` or `attach` both ways. A failure is an `error`
 * frame. Whoever is done half-closes.
 */
export interface DirectRequest {
  readonly path: typeof Path.exec | typeof Path.attach
  /** As the header `amux-nonce`. */
  readonly nonce?: string
}

/** A longer first line is none. */
export const DIRECT_LINE_MAX = 4096
