import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fail } from '../../errors/index.ts'
import { type DoorWord, Path } from '../../protocol/index.ts'
import type { Opened } from '../../tar/index.ts'
import { type Calls, cancel, type Query } from './calls.ts'
import { documents } from './documents.ts'
import { wireError } from './wire.ts'

/** Linux's O_PATH, the same on every machine we know of: Node does not name it. */
const PATH_ONLY = 0x200000

/** The guest's `run` as it is on this machine; undefined where it is not, or the guest knows no doors. Connects first. */
export type Doorway = (signal: AbortSignal | undefined) => Promise<string | undefined>

/** Undefined: not this way, and nothing happened. */
export async function openDoor(calls: Calls, doorway: Doorway, method: 'GET' | 'PUT', query: Query, signal: AbortSignal | undefined): Promise<Opened | undefined> {
  const run = await doorway(signal)
  if (run === undefined) return undefined
  const { stream } = await calls.open(method, Path.archive, { query: { ...query, door: true }, signal }, true)
  const words = documents<DoorWord>(stream, (value) => 'door' in value || 'done' in value || 'failure' in value, signal)
  const first = await next(words)
  const socket = 'door' in first ? await enterDoor(run, first.door) : undefined
  if (socket === undefined) {
    await words.return()
    return undefined
  }
  const finished = outcome(words)
  finished.catch(() => undefined)
  return { socket, finished, cancel: () => cancel(stream) }
}

async function outcome(words: AsyncGenerator<DoorWord, void>): Promise<void> {
  const word = await next(words)
  await words.return()
  if ('failure' in word) throw wireError(Buffer.from(JSON.stringify(word.failure)))
  if (!('done' in word)) throw fail('corrupt', 'the guest opened a second door', { source: 'transport' })
}

async function next(words: AsyncGenerator<DoorWord, void>): Promise<DoorWord> {
  const { value } = await words.next()
  // They have no end of their own: theirs is an error.
  if (value === undefined) throw fail('connection_lost', 'the connection to the computer broke', { source: 'transport' })
  return value
}

/** Undefined where it cannot be. Of its connection nothing is read. */
export async function enterDoor(run: string, name: string): Promise<Socket | undefined> {
  return /^[a-z0-9]{1,20}$/.test(name) ? enter(join(run, name)) : undefined
}

/**
 * Undefined where it cannot be: the sockets of some are seen on this machine, and cannot be reached. The computer may write
 * where its doors are, so one is taken hold of before it is looked at: a link there would lead to any socket of the user's.
 */
async function enter(path: string): Promise<Socket | undefined> {
  let held: number | undefined
  try {
    held = openSync(path, PATH_ONLY | constants.O_NOFOLLOW)
    return fstatSync(held).isSocket() ? await connected(`/proc/self/fd/${held}`) : undefined
  } catch {
    return undefined
  } finally {
    if (held !== undefined) closeSync(held)
  }
}

function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true })
    // Another process takes it over: this one must read nothing.
    socket.pause()
    socket.once('error', () => resolve(undefined)).once('connect', () => resolve(socket))
  })
}
