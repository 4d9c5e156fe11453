/** What is at one path. */
export interface Seen {
  readonly type: 'file' | 'link' | 'directory' | 'other'
  readonly size: number
  /** Permission bits. */
  readonly mode: number
  /** Opaque: only whether it is the same as before means something. */
  readonly mtime: string
  /** When anything of it changed. Absent where it cannot be told. */
  readonly ctime?: string
  /** Of a link. */
  readonly target?: string
}

export type Survey = ReadonlyMap<string, Seen>

/** What a tree is asked to keep in step. Paths are relative, with slashes. */
export interface Names {
  readonly paths: readonly string[]
  /** Git there tells what belongs; else it is everything. */
  readonly git: boolean
}

export interface ShellOptions {
  readonly args?: readonly string[]
  readonly input?: string
}

export interface Ran {
  readonly code: number
  readonly output: Buffer
  /** The end of what it said. */
  readonly said: string
}

/** A project's files on one side. */
export interface Tree {
  /** For people: `here`, `on NAME`. */
  readonly where: string
  names(): Promise<Names>
  /** Follows no final link. What is not there is missing in the answer. */
  look(paths: readonly string[]): Promise<Survey>
  /** SHA-256 of files, in hex. What cannot be read is missing. */
  digest(paths: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Those of these paths where for certain nothing is, or a directory. */
  gone(paths: readonly string[]): Promise<ReadonlySet<string>>
  /** Puts these, which lie below `stage`, in their places: each one whole. */
  place(stage: string, paths: readonly string[]): Promise<void>
  /** Files and links, and directories that are empty then. */
  remove(paths: readonly string[]): Promise<void>
  /** Removes the directory of this tree's own, for good. */
  tidy(): Promise<void>
  /** A POSIX shell in the tree's root. What it prints comes whole. */
  shell(script: string, options?: ShellOptions): Promise<Ran>
}

/** Names that are no names of files of a project, whoever says so. */
export function belongs(path: string): boolean {
  const parts = path.split('/')
  if (parts[0] === '.amux' || path.includes('\0') || path.includes('\uFFFD')) return false
  return parts.every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git')
}

/** The directories on the way to a path, from the top. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** What is at these paths and not behind a link on the way; with what is on the way itself. */
export async function survey(tree: Tree, paths: Iterable<string>): Promise<Survey> {
  const wanted = new Set<string>()
  for (const path of paths) for (const one of [...parentsOf(path), path]) wanted.add(one)
  const found = await tree.look([...wanted])
  const reached = [...found].filter(([path]) => parentsOf(path).every((parent) => found.get(parent)?.type === 'directory'))
  return new Map(reached)
}

export function splitZero(output: Buffer): string[] {
  return output.toString('utf8').split('\0').filter((text) => text !== '')
}
