import { statSync } from 'node:fs'
import { join } from 'node:path'

const DATABASES = ['var/lib/dpkg/status', 'var/lib/rpm/rpmdb.sqlite', 'usr/lib/sysimage/rpm/rpmdb.sqlite', 'var/lib/pacman/local', 'lib/apk/db/installed']

/** Changes when packages of the system below a computer are installed, upgraded or removed. */
export function packagesState(lower: string): string {
  return DATABASES.map((path) => statSync(join(lower, path), { throwIfNoEntry: false }))
    .map((stat) => (stat === undefined ? '-' : `${stat.size}:${Math.round(stat.mtimeMs)}`))
    .join(' ')
}
