import { readdirSync, readFileSync } from 'node:fs'

export interface Seen {
  readonly pid: number
  readonly parent: number
  readonly name: string
  /** Tells a process from a later one with the same pid. */
  readonly start: string
  /** CPU time in hundredths of a second, that of its ended children included. */
  readonly ticks: number
}

/** The supervisor and its holders bear this name. */
const OURS = 'amux-init'
/** What keeps the network policy: beside every computer that has one. */
const NET = 'amux-net'

/** Every process that can be seen, by pid. */
export function processes(): Map<number, Seen> {
  const all = new Map<number, Seen>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const seen = look(name)
    if (seen !== undefined) all.set(seen.pid, seen)
  }
  return all
}

function look(pid: string): Seen | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

/** A line of /proc/PID/stat. The name in it may contain anything, blanks and brackets too. */
export function parseStat(line: string): Seen | undefined {
  const open = line.indexOf('(')
  const close = line.lastIndexOf(')')
  if (open === -1 || close < open) return undefined
  const field = line.slice(close + 2).split(' ')
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(field[at] ?? 0), 0)
  return { pid: Number.parseInt(line, 10), parent: Number(field[1]), name: line.slice(open + 1, close), start: field[19] ?? '', ticks }
}

/**
 * Those that are the computer's: all where the supervisor is the first process there, else what descends from it,
 * since the machine's other processes are then none of our business. Without amux's own.
 */
export function computers(all: ReadonlyMap<number, Seen>, guest: number): Seen[] {
  const whole = all.get(1)?.name === OURS
  const supervisor = all.get(guest)?.parent ?? 0
  const root = all.get(supervisor)?.name === OURS ? supervisor : guest
  const inside = new Map<number, boolean>([[root, true], [1, false], [0, false]])
  const mine = (seen: Seen): boolean => {
    const known = inside.get(seen.pid)
    if (known !== undefined) return known
    const parent = all.get(seen.parent)
    const answer = parent !== undefined && mine(parent)
    inside.set(seen.pid, answer)
    return answer
  }
  return [...all.values()].filter((seen) => seen.pid !== guest && seen.name !== OURS && (whole || mine(seen)))
}

/** Those that were put into a computer from outside, as an engine's `exec` does. Known only where the supervisor is the first process. */
export function entered(all: ReadonlyMap<number, Seen>): Seen[] {
  if (all.get(1)?.name !== OURS) return []
  return [...all.values()].filter(({ pid, parent, name }) => parent === 0 && pid !== 1 && name !== OURS && name !== NET)
}
