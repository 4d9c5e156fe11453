import type { Capabilities, DeclaredCapabilities } from './capabilities.ts'
import type { Archive, Files } from './files.ts'
import type { IdleState, Ports } from './ports.ts'
import type { Process, SpawnOptions } from './process.ts'
import type { Sessions } from './sessions.ts'
import type { ByteStream } from './streams.ts'

export type ComputerState = 'running' | 'stopped' | 'starting' | 'stopping' | 'hibernating' | 'broken'

/** The user programs run as unless `-u` says otherwise. */
export interface ComputerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** A project's directory on this machine. */
export interface ProjectPlace {
  readonly path: string
  readonly name: string
  /**
   * The project's other git worktrees outside `path`, absolute, links resolved. A provider that mounts the project
   * mounts them too, each at its own path. One that vanished meanwhile is no failure.
   */
  readonly worktrees?: readonly string[]
}

export interface ComputerInfo {
  /** Chosen by amux, stable for life. */
  readonly name: string
  readonly state: ComputerState
  /** RFC 3339. */
  readonly createdAt: string
  /** `{}` when not made by amux. */
  readonly labels: Readonly<Record<string, string>>
  /** Where the project's files are on the computer. */
  readonly workspace?: string
  /** Of the project's worktrees outside it, those that are on the computer, at their own paths. Absent: it never has any. */
  readonly worktrees?: readonly string[]
  /** Absent while it cannot be told (a stopped computer of an unknown image). */
  readonly user?: ComputerUser
  /** What this computer falls short of its provider's declaration, and why: a tier, a plan, an image. */
  readonly capabilities?: DeclaredCapabilities
  /** Anything else worth a line to people: `tier: root`, `image: debian:12`. */
  readonly details?: Readonly<Record<string, string>>
  /** Why it is `broken`. */
  readonly problem?: string
}

/** Where the guest lives on a computer; everything here is outside what a checkpoint covers. */
export interface GuestPlace {
  /** Durable directory, absolute, as the computer sees it. */
  readonly store: string
  /** Volatile directory for sockets: short, 0700. Default `<store>/run`. */
  readonly run?: string
  /** The provider boots the guest itself with the computer; otherwise the core delivers and starts it over `spawn`. */
  readonly booted?: boolean
}

export interface StartComputerOptions {
  /**
   * Where the project is on this machine now. It differs from what `create` was told once the user moved it: a provider
   * that mounts it mounts the new place, from this start on. Absent: the last place it was told. A computer that runs
   * already may take in worktrees that are new; `info` says which it has.
   */
  readonly project?: ProjectPlace
  readonly signal?: AbortSignal
}

/** A faster way to the guest than `spawn`: the path of its unix socket as *this* machine sees it, or a stream. */
export type Channel = { readonly unix: string } | ByteStream

export interface AsideOptions {
  /** See the computer's disk as root, at `/computer`. */
  readonly root?: boolean
  /** Be in the computer's network namespace. */
  readonly net?: boolean
  /** See the private store, at `/store`. */
  readonly store?: boolean
  readonly signal?: AbortSignal
}

/**
 * One durable machine, as a provider gives it. What is optional and missing, the core adds if it can.
 * Methods reject with an `AmuxError`.
 */
export interface Computer {
  readonly name: string
  /** Fresh from the provider. `not_found` only when the provider says so. */
  info(): Promise<ComputerInfo>
  /** Resolves when programs can run. Starting a running one is no error. */
  start(options?: StartComputerOptions): Promise<void>
  /** Ends every program, keeps the disk. Stopping a stopped one is no error. `unsupported` where it only hibernates. */
  stop(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Deletes the computer and everything on it. The caller has asked the user. */
  delete(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** argv is exact: no shell. `not_running` when it does not run. */
  spawn(argv: readonly string[], options?: SpawnOptions): Promise<Process>

  readonly files?: Files
  readonly archive?: Archive
  readonly sessions?: Sessions
  readonly ports?: Ports
  /** One raw TCP connection to `host:port` as seen from the computer. Default host 127.0.0.1. */
  tunnel?(port: number, options?: { readonly host?: string; readonly signal?: AbortSignal }): Promise<ByteStream>
  idle?(): Promise<IdleState>

  /** Default: the core finds a place in the user's home. */
  readonly guest?: GuestPlace
  channel?(options?: { readonly signal?: AbortSignal }): Promise<Channel>
  /** A process outside the computer's reach that works on it. */
  aside?(argv: readonly string[], options?: AsideOptions): Promise<Process>
}

/** What everybody above the registry meets: nothing is missing, every error is normalised. */
export interface EquippedComputer extends Required<Omit<Computer, 'guest' | 'channel' | 'aside'>> {
  readonly provider: string
  /** The provider's declaration, this computer's shortfalls and what the core adds, in one table. */
  capabilities(): Promise<Capabilities>
  /** Frees connections. The computer does not notice. */
  close(): Promise<void>
}
