import { chown, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { GuestConfig } from '../../protocol/index.ts'
import { findUser, type User } from '../users.ts'
import { GuestError } from '../wire.ts'

/** Absolute; a relative path begins at the home of the computer's user. */
export function place(config: GuestConfig, path: string): string {
  if (path === '') throw new GuestError('invalid_argument', 'the path is empty')
  if (path.includes('\0')) throw new GuestError('invalid_argument', 'the path contains a zero byte')
  return resolve(config.user.home, path)
}

/** Who gets what is made. `undefined` where the guest is not root and so everything is its own user's already. */
export function ownerOf(config: GuestConfig, spec: string | undefined): User | undefined {
  const user = findUser(spec, config.user)
  if (process.getuid?.() === 0) return user
  if (spec === undefined || user.uid === process.getuid?.()) return undefined
  throw new GuestError('unsupported', `this computer cannot give files to ${user.name}: its guest does not run as root`)
}

/** Octal text, as in `644`. */
export function modeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[0-7]{1,4}$/.test(text)) throw new GuestError('invalid_argument', `${JSON.stringify(text)} is no file mode: write it in octal, like 644`)
  return Number.parseInt(text, 8)
}

/** Makes the directory and those above it; only what is new goes to `owner`. */
export async function makeAll(path: string, owner: User | undefined): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    // What is there is a file.
    throw error.code === 'EEXIST' ? new GuestError('conflict', `not a directory: ${path}`, { cause: error }) : error
  })
  if (first === undefined || owner === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await chown(made, owner.uid, owner.gid)
}
