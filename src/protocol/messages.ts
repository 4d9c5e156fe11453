import type { ErrorCode, FileEvent, FileStat, IdleState, ListeningPort, PortEvent, ServiceInfo, SessionInfo, TerminalSize } from '../contract/index.ts'

/** This build speaks these. A client uses the highest both have; none in common means the guest must be replaced. */
export const PROTOCOL = { min: 1, max: 1 } as const

export interface Hello {
  readonly protocol: { readonly min: number; readonly max: number }
  /** `GuestKit.version` it was started from. */
  readonly version: string
  /** Random per guest start; says that this is still the guest one knew. */
  readonly nonce: string
  readonly pid: number
  readonly node: string
  readonly arch: string
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }
  readonly workspace?: string
  /** Whether programs may run as other users. */
  readonly users: boolean
  readonly livingSessions: number
  /** See `direct.ts`. */
  readonly directTunnels?: true
  /** Whether archives may go through a door: see `DoorWord`. */
  readonly doors?: true
}

/**
 * What a request for an archive is answered with that asks for a `door`, a line each: the name of a socket in `run` that
 * takes one connection, for the archive alone; and once that is over, how it ended.
 */
export type DoorWord = { readonly door: string } | { readonly done: true } | { readonly failure: WireError }

/** The guest's configuration: a JSON file, 0600, in its store. Written by whoever delivers or boots it. */
export interface GuestConfig {
  /** Durable directory: session records and logs in `<store>/sessions`. */
  readonly store: string
  /** Directory of `guest.sock` and `init.sock`. */
  readonly run: string
  readonly version: string
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }
  /** Owner of the socket: who may connect, besides root. Default: the guest's own uid. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly workspace?: string
  /** The computer's own environment, e.g. from `create -e`. */
  readonly env: Readonly<Record<string, string>>
  /** Directories put before the standard PATH. */
  readonly path: readonly string[]
}

/** After how many milliseconds without use the computer stops by itself. */
export interface IdleSetting {
  readonly after: number
}

/** Written before it stops by itself, gone once it runs again. */
export interface Slept {
  readonly after: number
  /** Since when nothing used it. RFC 3339. */
  readonly since: string
}

export interface StartRequest {
  readonly argv: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly tty?: TerminalSize
  readonly user?: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly detached?: boolean
  readonly stdin?: boolean
  /** `env` and nothing else. */
  readonly bare?: boolean
  /** Kill it, tree and all, when the owner is lost before the exit: `spawn` rather than `sessions.start`. */
  readonly tied?: boolean
}

export interface AttachRequest {
  readonly id: string
  readonly size?: TerminalSize
  readonly readOnly?: boolean
  readonly from?: { readonly stdout: number; readonly stderr: number }
}

/** Travels in an `error` frame, or as the JSON body of a status >= 400. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly source?: 'amux' | 'program'
}

export interface SessionList {
  readonly sessions: readonly SessionInfo[]
}
export interface FileList {
  readonly entries: readonly FileStat[]
}
export interface PortList {
  readonly ports: readonly ListeningPort[]
}
export interface ServiceList {
  readonly services: readonly ServiceReport[]
}

/** A service, and where its log is: its starts, oldest first, each with the offsets it began at. */
export interface ServiceReport extends ServiceInfo {
  readonly runs: readonly { readonly id: string; readonly base: readonly [number, number]; readonly startedAt?: string }[]
}
export type { FileEvent, FileStat, IdleState, PortEvent, SessionInfo }
