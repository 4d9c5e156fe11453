import type { Capabilities, DeclaredCapabilities } from './capabilities.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Archive, Files } from './files.ts'
import type { Network, NetworkPolicy } from './network.ts'
import type { IdleState, IdleStop, Ports, PublishedPort } from './ports.ts'
import type { Process, SpawnOptions } from './process.ts'
import type { Services } from './services.ts'
import type { Sessions } from './sessions.ts'
import type { ByteStream } from './streams.ts'
import type { Urls } from './url.ts'

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
  /** The workspace and the worktrees are the computer's own, though they may be at the paths of this machine's. */
  readonly ownWorkspace?: boolean
  /** Of the project's worktrees outside it, those that are on the computer, at their own paths. Absent: it never has any. */
  readonly worktrees?: readonly string[]
  /** Absent while it cannot be told (a stopped computer of an unknown image). */
  readonly user?: ComputerUser
  /** What this computer falls short of its provider's declaration, and why: a tier, a plan, an image. */
  readonly capabilities?: DeclaredCapabilities
  /** Absent: none. */
  readonly published?: readonly PublishedPort[]
  /** Anything else worth a line to people: `tier: root`, `image: debian:12`. */
  readonly details?: Readonly<Record<string, string>>
  /** Why it is `broken`. */
  readonly problem?: string
  /** Why it is `stopped`, where that was not somebody's wish: `by itself, idle for 30m`. */
  readonly because?: string
}

/** Where the guest lives on a computer; everything here is outside what a checkpoint covers. */
export interface GuestPlace {
  /** Durable directory, absolute, as the computer sees it. */
  readonly store: string
  /** Volatile directory for sockets: short, 0700. Default `<store>/run`. */
  readonly run?: string
  /**
   * The provider boots the guest itself with the computer, which ends with the guest's supervisor; otherwise the core
   * delivers and starts it over `spawn`.
   */
  readonly booted?: boolean
  /** Its sockets are on this machine: `channel` gives a path. */
  readonly near?: boolean
}

/** Small files directly in the guest's durable directory, whether the computer runs or not. */
export interface GuestStore {
  /** Undefined where there is none, or it is no file of at most 4 KiB. What it says is the computer's word. */
  read(name: string): Promise<string | undefined>
  /** 0600, whole or not at all. */
  write(name: string, text: string): Promise<void>
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

export interface TwinOptions {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Instead of the one that was given at creation. */
  readonly policy?: NetworkPolicy
  readonly signal?: AbortSignal
}

export interface ForkOptions {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly checkpoint: string
  readonly signal?: AbortSignal
}

/** A faster way to the guest than `spawn`: the path of its unix socket as *this* machine sees it, or a stream. */
export type Channel = { readonly unix: string } | ByteStream

/**
 * One directory of what a checkpoint covers. Together they are everything on a computer that amux answers for.
 */
export interface DiskTree {
  /** `system`, `home`, `workspace`, …: unique on the computer, stable for its life, `[a-z0-9-]{1,60}`. */
  readonly name: string
  /** Where a program aside finds it. */
  readonly path: string
  /** Where programs on the computer see it, absolute. */
  readonly at: string
  /** Entries directly in it that are not covered. */
  readonly except?: readonly string[]
  /** The project's files, which this machine uses too. */
  readonly shared?: boolean
  /** It holds only what differs from `base`, as an overlay's upper layer does: a device 0:0 stands for a deletion. */
  readonly layer?: boolean
  /** Where a program aside finds what lies below a layer. */
  readonly base?: string
  /** What lies below a layer: where another computer says the same, a layer of the one fits on the other. Absent: it cannot be told. */
  readonly below?: string
}

export interface AsideOptions {
  /** See the computer's files as its programs do, as root, at `/computer`; its processes, while it runs, at `/processes`. */
  readonly root?: boolean
  /**
   * See the trees of `Computer.disk`, and the processes as above. `write`: to change them; the computer must not run
   * (`conflict`) and cannot start meanwhile.
   */
  readonly disk?: 'read' | 'write'
  /** Be in the computer's network namespace, with power over it. */
  readonly net?: boolean
  /** See the private store, at `/store`. */
  readonly store?: boolean
  readonly signal?: AbortSignal
}

/** A program aside that waits for its word. It ends with whoever prepared it. */
export interface PreparedAside {
  /** Once, when the computer was stopped: as `aside`. */
  begin(): Promise<Process>
  /** It is not needed after all. */
  leave(): Promise<void>
}

/** Programs that stand still. */
export interface Frozen {
  /** They go on. Idempotent. */
  thaw(): Promise<void>
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
  /**
   * A unix socket on the computer, made with the directories above it, gone when given up. Programs there connect to it,
   * and each connection comes here. Default mode 0o600. `conflict` while somebody listens there.
   */
  listen?(path: string, options?: { readonly mode?: number; readonly signal?: AbortSignal }): Promise<AsyncIterable<ByteStream>>
  /** Ends every program and starts anew. Default: a stop and a start. */
  restart?(options?: StartComputerOptions): Promise<void>
  idle?(): Promise<IdleState>
  /** Where it is missing the core has the guest do it, if that is booted with the computer and there is a `store`. */
  readonly idleStop?: IdleStop
  readonly checkpoints?: Checkpoints
  readonly network?: Network
  readonly services?: Services
  /** Where it is missing, a port is reached through a listener on this machine. */
  readonly url?: Urls

  /** Default: the core finds a place in the user's home. */
  readonly guest?: GuestPlace
  channel?(options?: { readonly signal?: AbortSignal }): Promise<Channel>
  readonly store?: GuestStore
  /**
   * A process outside the computer's reach that works on it. It finds amux's own programs (`GuestKit.tools`) in `/amux`.
   * On it the core builds checkpoints (with `disk`) and the network policy (with `amux-net serve`, which the provider runs).
   */
  aside?(argv: readonly string[], options?: AsideOptions): Promise<Process>
  /**
   * For a program with `disk: 'write'`, while the computer still runs: whatever takes its time, for when it was stopped.
   * Where it is missing, that is part of `aside`.
   */
  prepareAside?(argv: readonly string[], options?: AsideOptions): Promise<PreparedAside>
  /**
   * `amux-net serve` works beside it when this resolves, if it runs, and from then on before anything else does. The core
   * asks for it before it gives a policy. Where it is missing, that is so from the beginning.
   */
  guardNetwork?(): Promise<void>
  /**
   * A new computer that begins as this one began: same image or system, options, environment, user and network, with room of
   * its own for each of this one's trees, the project's among them. It does not run. `already_exists` when the name is taken;
   * leaves nothing behind when it fails. Where it is missing there are no forks.
   */
  twin?(options: TwinOptions): Promise<Computer>
  /** What a checkpoint covers. Where it is missing the core makes no checkpoints. */
  disk?(): Promise<readonly DiskTree[]>
  /**
   * Whether a program aside was to change the disk of this stopped computer, and did not come to a good end. It costs little.
   * Where it is missing the core looks for itself, with a program aside.
   */
  interrupted?(): Promise<boolean>
  /**
   * Every program stands still from when it resolves until `thaw`. They go on by themselves when the caller dies, and after
   * 10 seconds. Default: checkpoints are made without.
   */
  freeze?(): Promise<Frozen>
  /** Resolves when nothing is left that it still clears away behind a result. A command that ends waits for it, a second at most. */
  close?(): Promise<void>
}

/** What everybody above the registry meets: nothing is missing, every error is normalised. */
export interface EquippedComputer extends Required<Omit<Computer, 'guest' | 'channel' | 'store' | 'twin' | 'aside' | 'prepareAside' | 'guardNetwork' | 'disk' | 'interrupted' | 'freeze' | 'url' | 'close'>>, Pick<Computer, 'url'> {
  readonly provider: string
  /** The provider's declaration, this computer's shortfalls and what the core adds, in one table. */
  capabilities(): Promise<Capabilities>
  /**
   * Makes a new computer like this one, with the disk of a checkpoint, and starts it. This one goes on. `already_exists` when
   * the name is taken; leaves nothing behind when it fails.
   */
  fork(options: ForkOptions): Promise<void>
  /** What starts it where it is found to have stopped by itself in the middle of a use. Without, such a use fails with `not_running`. */
  onSlept(start: () => Promise<void>): void
  /** Counts as use, until it is closed: the computer does not stop by itself. Never rejects. */
  hold(): Promise<void>
  /** Frees connections. The computer does not notice. */
  close(): Promise<void>
}
