import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import type { Listener } from './listening.ts'
import { socketsAs } from './theirs.ts'

export interface Owner {
  readonly pid: number
  readonly program: string
}

/** Somebody's of this computer, who cannot be looked into. */
const somebody: Owner = { pid: 0, program: '' }

/**
 * Which process of this computer holds each of these sockets; one that none holds is left out. Looking through every
 * process's open files is the only way the kernel offers, so it is done for new sockets alone. Not every process lets us:
 * of those, all that is known is the user.
 */
export async function ownersOf(sockets: readonly Listener[]): Promise<Map<string, Owner>> {
  return (await search(sockets)).found
}

/** The same, their users asked where we may not look ourselves: that takes a process. */
export async function namedOwnersOf(sockets: readonly Listener[]): Promise<Map<string, Owner>> {
  const { found, closed } = await search(sockets)
  for (const [uid, gid] of closed) {
    const theirs = sockets.filter((socket) => socket.uid === uid && found.get(socket.inode) === somebody)
    if (theirs.length === 0 || process.getuid?.() !== 0) continue
    const pids = await socketsAs(uid, gid)
    for (const { inode } of theirs) {
      const pid = pids.get(inode)
      // What they say of themselves is believed of their own processes alone.
      if (pid !== undefined && (await stat(`/proc/${pid}`).catch(() => undefined))?.uid === uid) found.set(inode, { pid, program: await programOf(pid) })
    }
  }
  return found
}

interface Search {
  readonly found: Map<string, Owner>
  /** Users whose processes cannot be looked into, each with its group. */
  readonly closed: ReadonlyMap<number, number>
}

async function search(sockets: readonly Listener[]): Promise<Search> {
  const wanted = new Map(sockets.map((socket) => [socket.inode, socket]))
  const found = new Map<string, Owner>()
  const closed = new Map<number, number>()
  if (wanted.size === 0) return { found, closed }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  for (const pid of pids.toSorted((a, b) => a - b)) {
    for (const inode of await socketsOf(pid, closed)) {
      if (wanted.delete(inode)) found.set(inode, { pid, program: await programOf(pid) })
    }
    if (wanted.size === 0) break
  }
  for (const [inode, { uid }] of wanted) if (closed.has(uid)) found.set(inode, somebody)
  return { found, closed }
}

async function socketsOf(pid: number, closed: Map<number, number>): Promise<string[]> {
  try {
    const names = await readdir(`/proc/${pid}/fd`)
    const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(unlessDenied)))
    return targets.filter((target) => target.startsWith('socket:[')).map((target) => target.slice(8, -1))
  } catch (error) {
    const denied = error instanceof Error && 'code' in error && error.code === 'EACCES'
    const status = denied ? await stat(`/proc/${pid}`).catch(() => undefined) : undefined
    if (status !== undefined) closed.set(status.uid, status.gid)
    return []
  }
}

async function programOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim()
}

/** Closed in between. */
function unlessDenied(error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES') throw error
  return ''
}
