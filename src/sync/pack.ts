import type { ByteSource } from '../contract/index.ts'
import { latin1, pack as packed, utf8 } from '../tar/index.ts'

export interface PackOptions {
  /** Gives the first path component another name. */
  readonly rename?: { readonly from: string; readonly to: string }
  /** Told what was left out, and what it is. */
  onSkipped?(path: string, what: string): void
}

/** A tar stream of files and directories below `cwd`, as they are: links stay links. `.` stands for what is in `cwd`. */
export function pack(cwd: string, paths: readonly string[], { rename, onSkipped }: PackOptions = {}): ByteSource {
  // A repository inside the project is listed with a slash at its end.
  const roots = paths.map((path) => path.replace(/(?<=.)\/+$/u, '')).map((path) => ({ path: latin1(`${cwd}/${path}`), name: path === '.' ? '' : latin1(renamed(path, rename)) }))
  return packed(roots, {
    wholeSeconds: true,
    onSkipped: (name, what) => onSkipped?.(utf8(name), what),
  })
}

function renamed(path: string, rename: PackOptions['rename']): string {
  if (!rename) return path
  if (path === rename.from) return rename.to
  return path.startsWith(`${rename.from}/`) ? `${rename.to}${path.slice(rename.from.length)}` : path
}
