import fs from 'node:fs'

/**
 * Whether the terminal is this process's to change. A job in the background that tries is stopped by the system, in the
 * middle of the call, and each time it is continued again: not even a signal to end would reach it.
 */
export function inForeground(): boolean {
  const stat = own()
  if (stat === undefined) return true
  // After the program's name, which may contain anything: state, parent, group, session, terminal, the terminal's group.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return foreground === undefined || foreground === '-1' || group === foreground
}

function own(): string | undefined {
  try {
    return fs.readFileSync('/proc/self/stat', 'latin1')
  } catch {
    return fromPs()
  }
}

/** Where there is no /proc. */
function fromPs(): string | undefined {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { stdout } = spawnSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'latin1' })
  const [, group, foreground] = /^\s*(\d+)\s+(-?\d+)/.exec(stdout ?? '') ?? []
  return group === undefined ? undefined : `() S 0 ${group} 0 0 ${foreground}`
}
