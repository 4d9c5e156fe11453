import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'

/** An entry of this machine's that a computer on top of it does not see. */
export interface Hidden {
  /** Relative to `/`. */
  readonly path: string
  /** Present: an empty directory in its place. Absent: nothing. */
  readonly empty?: { readonly mode: number; readonly uid: number; readonly gid: number }
}

/** The system itself. Whatever else lies in `/` is somebody's data. */
export const SYSTEM: ReadonlySet<string> = new Set(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'etc', 'var', 'opt', 'nix', 'gnu'])
/** Places every system has, of which a computer has its own. */
const OWN = new Set(['home', 'root', 'tmp', 'mnt', 'media', 'srv', 'boot', 'dev', 'proc', 'sys', 'run'])
const OWN_BELOW = ['var/tmp']
/** Read by programs that check the permissions themselves; of no use to a thief. */
const NEEDED = new Set(['etc/sudoers', 'etc/shadow', 'etc/gshadow'])
/** How deep to look for private things. Deeper ones are behind a private directory, or meant to be read. */
const LOOK = [
  { path: 'etc', depth: 8 },
  { path: 'var', depth: 3 },
  { path: 'opt', depth: 1 },
  { path: 'usr/local/etc', depth: 3 },
]

/**
 * Root on a computer may read any file that it sees. So what this machine keeps from its own users is not shown at all:
 * directories that are not part of the system, and below /etc, /var and /opt everything that not everybody may read or
 * that belongs to a service.
 */
export function hiddenEntries(root = '/'): Hidden[] {
  const found: Hidden[] = []
  for (const name of readdirSync(root)) {
    const stat = statOf(join(root, name))
    if (stat === undefined || SYSTEM.has(name)) continue
    found.push(OWN.has(name) && stat.isDirectory() ? emptied(name, stat) : { path: name })
  }
  for (const path of OWN_BELOW) {
    const stat = statOf(join(root, path))
    if (stat?.isDirectory()) found.push(emptied(path, stat))
  }
  const own = new Set(found.map((entry) => entry.path))
  for (const { path, depth } of LOOK) look(root, path, depth, own, found)
  return found
}

function look(root: string, dir: string, depth: number, own: ReadonlySet<string>, found: Hidden[]): void {
  for (const name of entries(join(root, dir))) {
    const path = `${dir}/${name}`
    const stat = own.has(path) || NEEDED.has(path) ? undefined : statOf(join(root, path))
    if (stat === undefined || stat.isSymbolicLink()) continue
    if (isPrivate(stat)) found.push(stat.isDirectory() ? emptied(path, stat) : { path })
    else if (stat.isDirectory() && depth > 1) look(root, path, depth - 1, own, found)
  }
}

function isPrivate(stat: Stats): boolean {
  const wanted = stat.isDirectory() ? 0o005 : 0o004
  return stat.uid !== 0 || (stat.mode & wanted) !== wanted || stat.isSocket() || stat.isBlockDevice() || stat.isCharacterDevice()
}

function emptied(path: string, stat: Stats): Hidden {
  return { path, empty: { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid } }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}
