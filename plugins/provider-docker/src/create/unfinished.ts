import type { ContainerInspectInfo } from 'dockerode'
import { readFileSync } from 'node:fs'
import type { Client } from '../client.ts'
import { discard, has, lookAt } from '../engine/container.ts'
import { fail, hasCode } from '../errors.ts'
import { isOurs } from '../meta.ts'
import { inside, LABEL } from '../names.ts'
import { removeVolumes } from '../disk/volumes.ts'

/** Where one cannot look whether its maker lives: longer than any creation takes. */
const LONG_MS = 15 * 60_000

/** What this process makes now. */
const making = new Set<string>()

/** Its name is taken by us until the work is over. */
export async function whileMaking<T>(name: string, work: () => Promise<T>): Promise<T> {
  making.add(name)
  try {
    return await work()
  } finally {
    making.delete(name)
  }
}

/** This process, so that others know whether it lives. */
export function maker(): string {
  return [bootId(), process.pid, startOf(process.pid)].join(' ')
}

/**
 * A container that somebody was killed over before it was filled is removed: nothing ever ran on it, and nobody can say
 * any more what it was to get. `locked` while its maker may still be at work.
 */
export async function clearUnfinished(client: Client, name: string): Promise<void> {
  const found = await lookAt(client, name)
  if (found === undefined || !isOurs(found.Config.Labels) || !(await isUnfinished(client, found))) return
  if (mayLive(found)) throw fail('locked', `${name} is being created`, { computer: name, hint: 'Try again when that is done.' })
  await discard(client, found.Id)
  await removeVolumes(client, name)
}

/** What it gets last, before its first start, is its environment. */
async function isUnfinished(client: Client, { Id, State }: ContainerInspectInfo): Promise<boolean> {
  return State.Status === 'created' && !(await has(client, Id, inside.env))
}

function mayLive({ Config, Created }: ContainerInspectInfo): boolean {
  const [boot, pid, start] = (Config.Labels[LABEL.maker] ?? '').split(' ')
  if (boot === undefined || boot === '' || boot !== bootId()) return Date.now() - Date.parse(Created) < LONG_MS
  if (Number(pid) === process.pid) return making.has(Config.Labels[LABEL.of] ?? '')
  return start !== '' && startOf(Number(pid)) === start
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
