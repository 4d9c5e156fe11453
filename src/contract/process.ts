import type { ByteSink, ByteSource } from './streams.ts'

/** Character cells. */
export interface TerminalSize {
  readonly cols: number
  readonly rows: number
}

/** How a program ended: with a status of 0-255, or by a signal (`SIGTERM`, …). */
export type ExitStatus =
  | { readonly code: number; readonly signal?: undefined }
  | { readonly code?: undefined; readonly signal: string }

/** The user a program runs as: a name, a uid, `uid:gid`. */
export type UserSpec = string

export interface SpawnOptions {
  /** Absolute, or relative to the user's home. Default: the workspace, else the home directory. */
  readonly cwd?: string
  /** Merged over the computer's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** A terminal of this size; stderr is then part of stdout. Default: none, three separate pipes. */
  readonly tty?: TerminalSize
  /** Default: the computer's user (`info().user`). */
  readonly user?: UserSpec
  /** Kills the process (SIGKILL) when it fires before the exit, and rejects `exit` with `aborted`. */
  readonly signal?: AbortSignal
}

/**
 * A running program. `spawn` rejects with `program_not_found`, `program_not_executable` or `not_found` (the cwd, the
 * user) before there is a process.
 */
export interface Process {
  readonly stdin: ByteSink
  /** Ends after the last byte, which may come after the exit. */
  readonly stdout: ByteSource
  /** Empty with a terminal. */
  readonly stderr: ByteSource
  /**
   * Settles when the program ended, whatever its streams do. Rejects with `connection_lost` when its fate is unknown:
   * never guesses a status.
   */
  readonly exit: Promise<ExitStatus>
  /** Default SIGTERM. Resolves once delivered; delivering to an ended process is not an error. */
  kill(signal?: string): Promise<void>
  /** `invalid_argument` without a terminal. */
  resize(size: TerminalSize): Promise<void>
}
