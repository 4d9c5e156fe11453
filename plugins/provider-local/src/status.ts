import { readFileSync } from 'node:fs'
import { hasCode } from './errors.ts'
import type { Layout } from './layout.ts'

/** A process, named for good: a pid alone may come to mean another. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks after boot at which it started. */
  readonly ticks: string
}

export interface Running {
  /** Outside; ends when the computer does. */
  readonly keeper: ProcessId
  /** Process 1 of the computer, as this machine sees it. */
  readonly first: ProcessId
}

/** The processes of a running computer; `undefined` when it does not run. Reads three small files, starts nothing. */
export function running(place: Layout): Running | undefined {
  const [boot, keeper, keeperTicks, first, firstTicks] = (read(place.lock) ?? '').trim().split(' ')
  if (boot === undefined || keeper === undefined || keeperTicks === undefined || first === undefined || firstTicks === undefined) return undefined
  if (boot !== bootId()) return undefined
  const found: Running = { keeper: { pid: Number(keeper), ticks: keeperTicks }, first: { pid: Number(first), ticks: firstTicks } }
  return lives(found.keeper) && lives(found.first) ? found : undefined
}

export function lives(process: ProcessId): boolean {
  const stat = read(`/proc/${process.pid}/stat`)
  if (stat === undefined) return false
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] !== 'Z' && fields[0] !== 'X' && fields[19] === process.ticks
}

let boot: string | undefined

/** Changes with every start of the machine. */
export function bootId(): string {
  boot ??= (read('/proc/sys/kernel/random/boot_id') ?? 'unknown').trim()
  return boot
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH') || hasCode(error, 'ENOTDIR')) return undefined
    throw error
  }
}

/** This process. */
export function ownProcess(): ProcessId {
  const stat = read('/proc/self/stat') ?? ''
  return { pid: process.pid, ticks: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0' }
}
