import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { fail } from './errors.ts'

/** A socket's address holds 108 bytes; this leaves room for its name. */
const LONGEST = 90

/** Where a computer's sockets are: beside its provider's data, which outlives a login; elsewhere, apart by `kind`, when that path is too long. */
export function socketDir(dataDir: string, name: string, kind: string): string {
  const short = createHash('sha256').update(join(dataDir, name)).digest('hex').slice(0, 8)
  const near = join(dataDir, 'r', short)
  return Buffer.byteLength(near) <= LONGEST ? near : join(`/tmp/amux-${process.getuid?.() ?? 0}`, kind, short)
}

/** Makes the directories a socket may be in, each of them ours alone. */
export function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  for (const each of [dirname(path), path]) {
    const stat = lstatSync(each)
    if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) continue
    throw fail('permission_denied', `${each} is not a private directory of yours`, { hint: `Remove it, or make it yours: chmod 700 ${each}` })
  }
}

/** Whether somebody listens there. */
export function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
}
