import type { ContainerInspectInfo } from 'dockerode'
import { readFileSync } from 'node:fs'
import { hasCode } from '../errors.ts'
import { LABEL } from '../names.ts'

/** Where one cannot look whether its maker lives: longer than any creation takes. */
const LONG_MS = 15 * 60_000

/** What this process makes now, and how often. */
const making = new Map<string, number>()

/** Its name is taken by us until the work is over. */
export async function whileMaking<T>(name: string, work: () => Promise<T>): Promise<T> {
  const count = (change: number) => making.set(name, (making.get(name) ?? 0) + change)
  count(1)
  try {
    return await work()
  } finally {
    count(-1)
  }
}

/** This process, so that others know whether it lives. */
export function maker(): string {
  return [bootId(), process.pid, startOf(process.pid)].join(' ')
}

/** Of what somebody makes or made. */
export interface Begun {
  readonly labels: Readonly<Record<string, string>>
  /** By the engine's clock. */
  readonly created: string
}

/** Whether who made it may still be at work on it. */
export function mayLive({ labels, created }: Begun, now = Date.now()): boolean {
  const [boot, pid, start] = (labels[LABEL.maker] ?? '').split(' ')
  if (boot === undefined || boot === '' || boot !== bootId()) return now - Date.parse(created) < LONG_MS
  if (Number(pid) === process.pid) return (making.get(labels[LABEL.of] ?? '') ?? 0) > 0
  return start !== '' && startOf(Number(pid)) === start
}

export function isBeingMade({ Config, Created }: ContainerInspectInfo): boolean {
  return mayLive({ labels: Config.Labels, created: Created })
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id').trim()
}

/** Empty where there is none. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ESRCH', 'EACCES')) return ''
    throw error
  }
}
