import type { Stats } from 'node:fs'
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
    onSkipped: (name, stat) => onSkipped?.(utf8(name), kindOf(stat) ?? 'no file'),
  })
}

/** In words, what can be in no archive. */
export function kindOf(stat: Stats): string | undefined {
  if (stat.isFIFO()) return 'a named pipe'
  if (stat.isSocket()) return 'a socket'
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : undefined
}

function renamed(path: string, rename: PackOptions['rename']): string {
  if (!rename) return path
  if (path === rename.from) return rename.to
  return path.startsWith(`${rename.from}/`) ? `${rename.to}${path.slice(rename.from.length)}` : path
}
