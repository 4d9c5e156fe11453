import { execFile } from 'node:child_process'

const LONGEST_MS = 5000
const MOST = 16 * 1024 * 1024

/**
 * Which process holds each socket, by the socket's inode, as their own user sees it: root without its powers may not look
 * into other users' processes, while they may look into each other. Nothing where there is no `ls`.
 */
export function socketsAs(uid: number, gid: number): Promise<Map<string, number>> {
  return new Promise((resolve) => {
    // Its status says only that some processes are not theirs.
    execFile('/bin/sh', ['-c', 'exec ls -l /proc/[0-9]*/fd 2>/dev/null'], { uid, gid, cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, timeout: LONGEST_MS, maxBuffer: MOST }, (_error, text) => resolve(parseOpenFiles(text)))
  })
}

/** The lines of `ls -l` of their directories. */
export function parseOpenFiles(text: string): Map<string, number> {
  const found = new Map<string, number>()
  let pid = 0
  for (const line of text.split('\n')) {
    const [, process] = /^\/proc\/(\d+)\/fd:$/.exec(line) ?? []
    if (process !== undefined) pid = Number(process)
    const [, inode] = / -> socket:\[(\d+)\]$/.exec(line) ?? []
    // The oldest process stands for those that came from it.
    if (inode !== undefined && pid < (found.get(inode) ?? Infinity)) found.set(inode, pid)
  }
  return found
}
