import { chmodSync, chownSync, linkSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { join } from 'node:path'
import type { GuestConfig } from '../protocol/index.ts'

/** A socket that the guest listens on. */
export interface Door {
  /** Takes it away, unless another guest's is there by now. */
  release(): void
  /** Nobody finds it any more, until what it returns is called. Who is there stays, and who waits is let in. */
  hide(): () => void
}

/**
 * Listens on a socket in `<run>`. The socket gets its owner and mode under another name first, so that nobody ever meets
 * it half-ready; a dead one in its place is removed, a living one is an error.
 */
export async function listen(server: Server, config: GuestConfig, name: string): Promise<Door> {
  const path = join(config.run, name)
  const temporary = join(config.run, `.${name.charAt(0)}${process.pid}`)
  mkdirSync(config.run, { recursive: true, mode: 0o700 })
  await findFree(config, name)
  for (const stale of [path, temporary]) remove(stale)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: temporary, backlog: 1024 }, () => resolve())
  })
  claim(temporary, config)
  linkSync(temporary, path)
  unlinkSync(temporary)
  const { ino } = lstatSync(path)
  const release = (): void => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) remove(path)
  }
  const hide = (): (() => void) => {
    renameSync(path, temporary)
    return () => renameSync(temporary, path)
  }
  return { release, hide }
}

/** A socket that is the owner's alone, whom only root can choose. */
export function claim(path: string, { owner }: GuestConfig): void {
  if (owner !== undefined && process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid)
  chmodSync(path, 0o600)
}

/** Throws when another guest lives there. */
export async function findFree(config: GuestConfig, name: string): Promise<void> {
  const path = join(config.run, name)
  if (await answers(path)) throw new Error(`another guest answers on ${path}`)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
