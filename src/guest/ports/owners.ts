import { readdir, readFile, readlink } from 'node:fs/promises'

export interface Owner {
  readonly pid: number
  readonly program: string
}

/**
 * Which process of this computer holds each of these sockets; one that none holds is left out. Looking through every process's open files is the only way the kernel
 * offers, so it is done for new sockets alone.
 */
export async function ownersOf(inodes: readonly string[]): Promise<Map<string, Owner>> {
  const wanted = new Set(inodes)
  const found = new Map<string, Owner>()
  if (wanted.size === 0) return found
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  for (const pid of pids.toSorted((a, b) => a - b)) {
    for (const inode of await socketsOf(pid)) {
      if (wanted.delete(inode)) found.set(inode, { pid, program: await programOf(pid) })
    }
    if (wanted.size === 0) break
  }
  return found
}

async function socketsOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target.startsWith('socket:[')).map((target) => target.slice(8, -1))
}

async function programOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim()
}
