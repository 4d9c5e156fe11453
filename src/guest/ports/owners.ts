import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import type { Listener } from './listening.ts'

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
  const wanted = new Map(sockets.map((socket) => [socket.inode, socket]))
  const found = new Map<string, Owner>()
  const closed = new Set<number>()
  if (wanted.size === 0) return found
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  for (const pid of pids.toSorted((a, b) => a - b)) {
    for (const inode of await socketsOf(pid, closed)) {
      if (wanted.delete(inode)) found.set(inode, { pid, program: await programOf(pid) })
    }
    if (wanted.size === 0) break
  }
  for (const [inode, { uid }] of wanted) if (closed.has(uid)) found.set(inode, somebody)
  return found
}

async function socketsOf(pid: number, closed: Set<number>): Promise<string[]> {
  try {
    const names = await readdir(`/proc/${pid}/fd`)
    const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(unlessDenied)))
    return targets.filter((target) => target.startsWith('socket:[')).map((target) => target.slice(8, -1))
  } catch (error) {
    const denied = error instanceof Error && 'code' in error && error.code === 'EACCES'
    const status = denied ? await stat(`/proc/${pid}`).catch(() => undefined) : undefined
    if (status !== undefined) closed.add(status.uid)
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
