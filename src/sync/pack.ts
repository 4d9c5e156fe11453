import type { Stats } from 'node:fs'
import type { ByteSource } from '../contract/index.ts'

export interface PackOptions {
  /** Gives the first path component another name. */
  readonly rename?: { readonly from: string; readonly to: string }
  /** Told what was left out, and what it is. */
  onSkipped?(path: string, what: string): void
}

/**
 * A tar stream of files and directories below `cwd`, as they are: links stay links. Sockets, pipes and devices have no
 * place in it, nor have setuid bits, which no receiver accepts.
 */
export async function* pack(cwd: string, paths: readonly string[], { rename, onSkipped }: PackOptions = {}): ByteSource {
  const { Pack } = await import('tar')
  const stream = new Pack({
    cwd,
    // Names of users on this machine mean nothing there.
    portable: false,
    preservePaths: false,
    filter: (path, entry) => {
      const what = 'isFile' in entry ? kindOf(entry) : undefined
      if (what !== undefined) onSkipped?.(path.replace(/^(\.\/)+/u, ''), what)
      return what === undefined
    },
    onWriteEntry: (entry) => {
      entry.path = renamed(entry.path.replace(/^\.\//u, ''), rename)
      if (entry.stat) entry.stat.mode &= ~0o6000
    },
  })
  // A leading "./": the library reads a name that begins with "@" as an archive to include.
  for (const path of paths) stream.add(`./${path}`)
  stream.end()
  yield* stream
}

/** In words, what can be in no archive. */
export function kindOf(stat: Stats): string | undefined {
  if (stat.isFIFO()) return 'a named pipe'
  if (stat.isSocket()) return 'a socket'
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : undefined
}

function renamed(path: string, rename: PackOptions['rename']): string {
  if (!rename) return path
  if (path === rename.from || path === `${rename.from}/`) return rename.to
  return path.startsWith(`${rename.from}/`) ? `${rename.to}${path.slice(rename.from.length)}` : path
}
