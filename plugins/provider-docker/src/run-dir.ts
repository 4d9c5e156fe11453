import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fail } from './errors.ts'

/** A socket's address holds 108 bytes; this leaves room for its name. */
const LONGEST = 90

/** Where a computer's sockets are on this machine. */
export function runDir(dataDir: string, name: string): string {
  const short = createHash('sha256').update(join(dataDir, name)).digest('hex').slice(0, 8)
  const near = join(dataDir, 'r', short)
  return Buffer.byteLength(near) <= LONGEST ? near : join(`/tmp/amux-${process.getuid?.() ?? 0}`, 'd', short)
}

/** There, and ours alone. */
export function makeRunDir(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  for (const each of [dirname(path), path]) {
    const stat = lstatSync(each)
    if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) continue
    throw fail('permission_denied', `${each} is not a private directory of yours`, { hint: `Remove it, or make it yours: chmod 700 ${each}`, source: 'amux' })
  }
}

/** Sockets of a computer that died are in the way of the next ones. */
export function emptyRunDir(path: string): void {
  makeRunDir(path)
  for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true })
}
