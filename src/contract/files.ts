import type { ByteSource } from './streams.ts'

export interface FileStat {
  readonly path: string
  readonly type: 'file' | 'directory' | 'link' | 'other'
  readonly size: number
  /** Permission bits, e.g. 0o644. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Milliseconds since the epoch. */
  readonly mtime: number
  /** Of a link. */
  readonly target?: string
}

export interface WriteOptions {
  /** Default 0o644 for a new file; an existing one keeps its own. */
  readonly mode?: number
  /** Default: the computer's user. */
  readonly user?: string
  /** Creates the directories above. Default false. */
  readonly parents?: boolean
  readonly signal?: AbortSignal
}

/** Something that happened to a file. Several close together may come as one. */
export interface FileEvent {
  readonly path: string
  readonly event: 'create' | 'write' | 'remove' | 'rename' | 'chmod'
  readonly directory: boolean
  /** In bytes, where it is there and a file. */
  readonly size?: number
}

export interface WatchOptions {
  readonly recursive?: boolean
  readonly signal?: AbortSignal
  /** Told when it goes on after its connection broke: what happened meanwhile nobody knows. */
  onMissed?(): void
}

/** Paths are absolute, or relative to the computer's user's home. Failures: `not_found`, `permission_denied`, `conflict`. */
export interface Files {
  read(path: string, options?: { readonly offset?: number; readonly length?: number; readonly signal?: AbortSignal }): ByteSource
  /** Atomic: the old file stays whole until the last byte arrived. */
  write(path: string, data: ByteSource | Uint8Array, options?: WriteOptions): Promise<void>
  /** Does not follow a final link. */
  stat(path: string): Promise<FileStat>
  /** By name. */
  list(path: string): Promise<readonly FileStat[]>
  mkdir(path: string, options?: { readonly parents?: boolean; readonly mode?: number; readonly user?: string }): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Follows no link. `recursive`: all below it too, links excepted. */
  chmod(path: string, mode: number, options?: { readonly recursive?: boolean }): Promise<void>
  /** `owner`: a name, a uid, `uid:gid`. `not_found` for a name that nobody has. */
  chown(path: string, owner: string, options?: { readonly recursive?: boolean }): Promise<void>
  /**
   * To the new path itself, never into a directory there: `conflict` when one is. A directory needs `recursive`. Links are
   * copied as links, modes stay; times and owners too with `preserve`.
   */
  copy(from: string, to: string, options?: { readonly recursive?: boolean; readonly preserve?: boolean; readonly signal?: AbortSignal }): Promise<void>
  /** Changes of these files and of what is directly in these directories; `recursive`: all below. Begins once it resolves. */
  watch(paths: readonly string[], options?: WatchOptions): Promise<AsyncIterable<FileEvent>>
  /** `conflict` for a directory that is not empty, without `recursive`. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>
}

export interface Archive {
  /** A tar stream (pax) of the entries below `path`, their names relative to it. A single file gives one entry, and so does a link to one: the file, by the name of the link. */
  read(path: string, options?: { readonly signal?: AbortSignal }): ByteSource
  /**
   * Unpacks a tar stream below `path`, which is made when missing. Links are not followed; absolute and `..` names,
   * devices and setuid bits are refused. Owner: `user`, default the computer's.
   */
  write(path: string, tar: ByteSource, options?: { readonly user?: string; readonly signal?: AbortSignal }): Promise<void>
}
