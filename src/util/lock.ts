import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync, utimesSync } from 'node:fs'
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AmuxError } from '../contract/index.ts'

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** Told once, when somebody else holds it. */
  readonly onWait?: (() => void) | undefined
  /** Give up with `locked` after so many milliseconds. Default: wait until `signal`. */
  readonly limit?: number | undefined
}

const BEAT = 5000
/** A holder that cannot be looked at (another machine, another pid namespace) counts as gone after this silence. */
const SILENCE = 30_000
const GUARD_LIFE = 10_000

/** Runs `work` while no other process on any machine that sees `path` does. A holder that was killed is passed over. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const release = await acquire(path, options)
  try {
    return await work()
  } finally {
    await release()
  }
}

async function acquire(path: string, options: LockOptions): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const mine = JSON.stringify({ ...identity(), token: randomBytes(8).toString('hex') })
  const until = performance.now() + (options.limit ?? Number.POSITIVE_INFINITY)
  for (let pause = 5, told = false; !(await create(path, mine)); pause = Math.min(pause * 2, 100)) {
    if (await passOver(path)) continue
    if (performance.now() >= until) throw held(path)
    if (!told) options.onWait?.()
    told = true
    await rest(pause, options.signal)
  }
  const beat = setInterval(() => touch(path), BEAT)
  beat.unref()
  return async () => {
    clearInterval(beat)
    if ((await content(path)) === mine) await rm(path, { force: true })
  }
}

function held(path: string): AmuxError {
  return Object.assign(new Error(`another amux holds ${path}`), { code: 'locked', hint: 'Try again when it is done.' } as const)
}

async function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => {
    throw signal?.reason
  })
}

/** Appears with its content, or not at all. */
async function create(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** Removes the lock of a holder that is gone. Only one process at a time may, and only what it looked at. */
async function passOver(path: string): Promise<boolean> {
  if (!(await abandoned(path))) return false
  const guard = `${path}.break`
  if (!(await create(guard, ''))) {
    if ((await age(guard)) > GUARD_LIFE) await rm(guard, { force: true })
    return false
  }
  try {
    if (await abandoned(path)) await rm(path, { force: true })
    return true
  } finally {
    await rm(guard, { force: true })
  }
}

async function abandoned(path: string): Promise<boolean> {
  const text = await content(path)
  if (text === undefined) return false
  const here = identity()
  const holder = parse(text)
  if (holder && holder.space === here.space) return !alive(holder.pid, holder.start)
  return (await age(path)) > SILENCE
}

interface Identity {
  readonly pid: number
  /** When the process began, so that a reused pid is not taken for it. */
  readonly start: string
  /** Where the pid means something. */
  readonly space: string
}

function identity(): Identity {
  return { pid: process.pid, start: startOf(process.pid), space: `${read('/proc/sys/kernel/random/boot_id')} ${pidNamespace()}` }
}

function alive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  return startOf(pid) === start
}

function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie holds nothing any more.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return process.platform
  }
}

function parse(text: string): Identity | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!(value instanceof Object) || !('pid' in value) || !('start' in value) || !('space' in value)) return undefined
    const { pid, start, space } = value
    return typeof pid === 'number' && typeof start === 'string' && typeof space === 'string' ? { pid, start, space } : undefined
  } catch {
    return undefined
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // It was passed over after a long suspension; release notices.
  }
}

async function content(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

async function age(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found ? Date.now() - found.mtimeMs : 0
}
