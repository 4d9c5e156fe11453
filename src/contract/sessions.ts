import type { Process, SpawnOptions, TerminalSize } from './process.ts'
import type { ByteSource } from './streams.ts'

/** A process on a computer that outlives its client. */
export interface SessionInfo {
  /** Short, unique on the computer for good, safe in a URL and a shell: `[a-z0-9-]{1,32}`. */
  readonly id: string
  /** Given by the user; unique among living sessions, and good for an ended one until it is removed or named again. */
  readonly name?: string
  readonly argv: readonly string[]
  /** The words as one text, where their provider tells no more and nobody knows where they end: `argv` is then this alone. */
  readonly command?: string
  readonly cwd: string
  readonly user: string
  readonly tty: boolean
  /** Only with a terminal. */
  readonly size?: TerminalSize
  /** The leader's process id as the computer sees it. */
  readonly pid: number
  readonly startedAt: string
  readonly state: SessionState
  /** How many clients look at it now. */
  readonly viewers: number
  /** Whether one of them owns it: drives its pace, gets its output undropped. */
  readonly owned: boolean
  /** RFC 3339; the last output or input. */
  readonly lastActiveAt: string
  /** What the caller attached at start, e.g. `{agent: 'claude'}`. */
  readonly labels: Readonly<Record<string, string>>
}

export type SessionState =
  | { readonly status: 'running' }
  | { readonly status: 'exited'; readonly code: number; readonly endedAt: string }
  | { readonly status: 'killed'; readonly signal: string; readonly endedAt: string }
  /** Ended without a status of its own: the computer stopped, the guest lost it, a checkpoint was restored. */
  | { readonly status: 'ended'; readonly reason: 'stopped' | 'lost' | 'restored'; readonly endedAt: string }

export interface StartOptions extends SpawnOptions {
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  /**
   * `true`: nobody owns it from the start; it is logged and stays listed after its end until removed.
   * `false` (default): the caller owns it, and it becomes detached when the caller is lost or detaches.
   */
  readonly detached?: boolean
  /** `env` is all it gets; it is still found on the computer's own PATH. Default false. */
  readonly bare?: boolean
  /**
   * Every byte of its output counts: where a provider is known to lose some of a long one, that is checked, and a loss is
   * a failure that says where the whole is. Default false.
   */
  readonly verify?: boolean
  /** A detached session's stdin stays open for `send`; `false` gives it end-of-file at once. Default true. */
  readonly stdin?: boolean
}

export interface AttachOptions {
  /** The viewer's terminal, for a session that has one. The session takes this size. */
  readonly size?: TerminalSize
  /** Only look: no input, no resize, never slows the program. Default false: become the owner. */
  readonly readOnly?: boolean
  /**
   * Non-terminal sessions: absolute offsets to begin at. Default: the oldest kept byte. A terminal session always
   * begins with its true screen.
   */
  readonly from?: { readonly stdout: number; readonly stderr: number }
  readonly signal?: AbortSignal
}

/** A session seen live. */
export interface Attachment extends Process {
  readonly session: SessionInfo
  /** Leaves without ending it. Idempotent. */
  detach(): Promise<void>
  /** Told when output was skipped because this viewer lagged, or because it is no longer kept. */
  onSkipped?: (bytes: number, stream: 'stdout' | 'stderr') => void
  /** Told when another client took the session over. */
  onDisowned?: () => void
}

export interface LogOptions {
  /** Default `both`, in the order written. */
  readonly stream?: 'stdout' | 'stderr' | 'both'
  /** Absolute byte offset in that stream (needs one stream). Default: the oldest kept byte. */
  readonly from?: number
  /** Only the last N lines of what is kept. */
  readonly tail?: number
  /** Go on until the session ends. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface LogChunk {
  readonly stream: 'stdout' | 'stderr'
  /** Absolute offset of the first byte. A jump says that bytes before it are no longer kept. */
  readonly offset: number
  readonly data: Uint8Array
  /** RFC 3339: when the program began that wrote it. Of services, whose log is that of all their starts; where it is known. */
  readonly startedAt?: string
}

export interface KillOptions {
  /** First signal. Default SIGTERM. */
  readonly signal?: string
  /** Milliseconds until SIGKILL goes to everything the session left. Default 5000; 0 sends it at once. */
  readonly grace?: number
}

export interface Sessions {
  start(argv: readonly string[], options?: StartOptions): Promise<Attachment>
  /** Newest first. Ended ones are included until removed. */
  list(): Promise<readonly SessionInfo[]>
  /** By id, by living name, else by the name of the newest ended one. `not_found`. So with every `id` here. */
  get(id: string): Promise<SessionInfo>
  attach(id: string, options?: AttachOptions): Promise<Attachment>
  logs(id: string, options?: LogOptions): AsyncIterable<LogChunk>
  /** Types into it. With `eof`, its stdin ends afterwards (a terminal gets Ctrl-D). */
  send(id: string, data: ByteSource | Uint8Array, options?: { readonly eof?: boolean }): Promise<void>
  resize(id: string, size: TerminalSize): Promise<void>
  /** One signal to its foreground process group. */
  signal(id: string, signal: string): Promise<void>
  /** Ends everything it started, daemons included; resolves when it is over. */
  kill(id: string, options?: KillOptions): Promise<SessionInfo>
  /** Resolves when it ended. */
  wait(id: string, options?: { readonly signal?: AbortSignal }): Promise<SessionInfo>
  /** Forgets an ended one and its logs; `conflict` while it runs. */
  remove(id: string): Promise<void>
}
