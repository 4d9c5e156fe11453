import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { type Server, createServer } from 'node:net'
import { join } from 'node:path'
import { fail, hasCode } from '../../errors.ts'
import { writeWhole } from '../../meta.ts'
import { type ProcessId, bootId, lives } from '../../status.ts'

/** A server that runs: what others need to find it. */
export interface Running extends ProcessId {
  readonly boot: string
  readonly url: string
  readonly tokenFile: string
  /** RFC 3339. */
  readonly startedAt: string
}

export function serverDir(dataDir: string): string {
  return join(dataDir, 'server')
}

export function logFile(dataDir: string): string {
  return join(serverDir(dataDir), 'log')
}

const recordFile = (dataDir: string) => join(serverDir(dataDir), 'running.json')

/** `undefined` when none runs, whatever one that was killed has left. */
export async function running(dataDir: string): Promise<Running | undefined> {
  const record = await readRecord(dataDir)
  return record && record.boot === bootId() && lives(record) ? record : undefined
}

export interface Hold {
  tell(record: Running): Promise<void>
  release(): Promise<void>
}

/**
 * Two servers would answer for the same computers: there is one at a time. `conflict` says where it is. The kernel
 * gives the hold back when its process ends, however it ends.
 */
export async function holdAlone(dataDir: string): Promise<Hold> {
  await mkdir(serverDir(dataDir), { recursive: true, mode: 0o700 })
  const hold = await listen(`\0amux-serve-${createHash('sha256').update(dataDir).digest('hex').slice(0, 32)}`)
  if (!hold) {
    const first = await running(dataDir)
    throw fail('conflict', first ? `a server runs already: ${first.url} (process ${first.pid})` : 'a server is starting already', { hint: 'amux local server stop ends it.', source: 'amux' })
  }
  await rm(recordFile(dataDir), { force: true })
  return {
    tell: (record) => writeWhole(recordFile(dataDir), `${JSON.stringify(record)}\n`),
    async release() {
      await rm(recordFile(dataDir), { force: true })
      hold.close()
    },
  }
}

async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy())
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, () => resolve()))
    return server
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) return undefined
    throw error
  }
}

async function readRecord(dataDir: string): Promise<Running | undefined> {
  try {
    const value = JSON.parse(await readFile(recordFile(dataDir), 'utf8')) as Running
    return typeof value.pid === 'number' && typeof value.ticks === 'string' && typeof value.url === 'string' ? value : undefined
  } catch {
    // None, or one that a full disk left: a server that lives holds the name all the same.
    return undefined
  }
}
