import type { ByteSource } from './streams.ts'

/** A point in time of one computer's disk. */
export interface CheckpointInfo {
  /** `v1`, `v2`, … made by request; `auto-1`, … made by amux itself. Never used again on this computer. */
  readonly id: string
  /** RFC 3339. */
  readonly createdAt: string
  /** `safety`: what a restore replaced. Automatic and safety points are pruned by age and count, the others never. */
  readonly kind: 'manual' | 'automatic' | 'safety'
  readonly message?: string
  /** Files, directories and all else it holds. Absent where the provider does not say. */
  readonly entries?: number
  /** Bytes of the files it holds, as `ls -l` counts them. Absent where the provider does not say. */
  readonly size?: number
  /** Bytes that its deletion would give back. Absent where the provider does not say. */
  readonly cost?: number
}

export interface CreateCheckpointOptions {
  readonly message?: string
  /** Made by amux itself: pruned later. Default false. */
  readonly automatic?: boolean
  /** Whether the project's files are covered. Default true. */
  readonly workspace?: boolean
  readonly signal?: AbortSignal
}

export interface RestoreOptions {
  /** Only these, absolute as the computer sees them, with all below. Default: everything. */
  readonly paths?: readonly string[]
  /** Leaves the project's files as they are. Default false. */
  readonly keepWorkspace?: boolean
  readonly signal?: AbortSignal
}

export interface RestoreResult {
  readonly restored: string
  /** Restoring this one takes the restore back. Absent where nothing had to change. */
  readonly safety?: string
  /** Files and directories that were made, changed or removed. Absent where the provider does not say, or it was interrupted and finished then. */
  readonly changed?: number
}

/** How one path differs between two points in time. */
export interface CheckpointChange {
  /** Absolute, as the computer sees it. Bytes that are no UTF-8 come as U+FFFD. */
  readonly path: string
  readonly change: 'added' | 'removed' | 'modified'
  readonly type: 'file' | 'directory' | 'link' | 'other'
  /** What of a modified one: `content`, `mode`, `owner`, `time`, `type`, `target`, `attributes`. */
  readonly what: readonly string[]
  /** In bytes, of files. */
  readonly before?: number
  readonly after?: number
}

export interface ExportOptions {
  /** For a computer made like this one, straight into its `import`: device files and setuid programs stay what they are. Default false. */
  readonly exact?: boolean
  readonly signal?: AbortSignal
}

export interface ImportOptions {
  /** Default: where it comes from, and what it was called there. */
  readonly message?: string
  /** Leaves out the system, which fits only what it was made over. Home and workspace come in any case. Default false. */
  readonly withoutSystem?: boolean
  /** It comes straight from an exact `export` of a computer like this one, and is believed. Default false. */
  readonly exact?: boolean
  readonly signal?: AbortSignal
}

/** Points in time of a computer's whole disk, its workspace included, restored in place. */
export interface Checkpoints {
  /** Live: programs stand still for a moment at most. Resolves when it would survive a power cut. */
  create(options?: CreateCheckpointOptions): Promise<CheckpointInfo>
  /** Newest first. */
  list(): Promise<readonly CheckpointInfo[]>
  /** `not_found`. So with every `id` here. */
  get(id: string): Promise<CheckpointInfo>
  /**
   * Ends every program, puts the disk back and starts the computer again if it ran. Takes a safety point first. Sessions
   * that it ended say so. The caller has asked the user.
   */
  restore(id: string, options?: RestoreOptions): Promise<RestoreResult>
  /** Gives back the space of what no other one holds. */
  remove(ids: readonly string[]): Promise<void>
  /** From `from` to `to`, by path. Default `to`: the disk as it is now. */
  diff(from: string, to?: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<CheckpointChange>
  /** Files on this machine that changed since: a restore, of these paths or of all, would replace them. */
  hostChanges(id: string, paths?: readonly string[]): Promise<number>
  /** A file's bytes as they were. `not_found`; `invalid_argument` for what is no file. */
  read(id: string, path: string, options?: { readonly signal?: AbortSignal }): ByteSource
  /** One self-contained tar stream, which says first what it is and where it comes from. */
  export(id: string, options?: ExportOptions): ByteSource
  /**
   * What `export` gave, also on another computer, of whatever provider. It gets an id of its own. `corrupt` for what is cut,
   * damaged or hostile, `conflict` for a system that does not fit; nothing is left then.
   */
  import(tar: ByteSource, options?: ImportOptions): Promise<CheckpointInfo>
}
