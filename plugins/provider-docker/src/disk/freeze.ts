import { spawn } from 'node:child_process'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Frozen } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { hasCode } from '../errors.ts'
import type { Meta } from '../meta.ts'

const LONGEST_MS = 10_000
const PAUSE_MS = 20

/**
 * A process of its own, so that it is there when this one is killed: thaws when its input ends without a word, and in any
 * case after a while. It is small, and needs nothing of ours.
 */
const WATCH = String.raw`
const [socketPath, id, limit] = process.argv.slice(1)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
const thaw = () => {
  const request = require('node:http').request({ socketPath, method: 'POST', path: '/containers/' + id + '/unpause' }, (answer) => answer.resume().on('end', () => process.exit()))
  request.on('error', () => setTimeout(thaw, 200)).end()
}
process.stdin.on('data', () => process.exit()).on('end', thaw).on('error', thaw)
setTimeout(thaw, Number(limit))
`

/** Every program of a running container stands still. Undefined where nobody here could thaw them for sure: an engine elsewhere. */
export async function freeze(client: Client, id: string, meta: Meta): Promise<Frozen | undefined> {
  const { place } = client.found
  if (place.kind !== 'unix' || !client.here) return undefined
  const watch = spawn(process.execPath, ['-e', WATCH, place.path, id, String(LONGEST_MS)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} })
  watch.on('error', () => undefined)
  watch.stdin.on('error', () => undefined)
  watch.unref()
  const dismiss = () => void watch.stdin.end('.')
  try {
    await pause(client, id, meta)
  } catch (error) {
    dismiss()
    throw error
  }
  let thawed: Promise<void> | undefined
  const thaw = async () => {
    unmark(meta)
    await client.call((docker) => docker.getContainer(id).unpause()).catch((error: unknown) => {
      // It was thawed already, or ended.
      if (!hasCode(error, 'conflict', 'not_found', 'failed')) throw error
    })
    dismiss()
  }
  return { thaw: () => (thawed ??= thaw()) }
}

/** Paused by us, for a moment. Who wants to use it lets that pass; a pause by hand is ended at once. */
export function frozen({ run }: Meta): boolean {
  try {
    return run !== undefined && Math.abs(Date.now() - statSync(markIn(run)).mtimeMs) < LONGEST_MS
  } catch {
    return false
  }
}

/** While an engine holds it for us, however long that takes. */
export async function whileHeld<T>(meta: Meta, work: () => Promise<T>): Promise<T> {
  mark(meta)
  const again = setInterval(() => mark(meta), LONGEST_MS / 4)
  try {
    return await work()
  } finally {
    clearInterval(again)
    unmark(meta)
  }
}

/** Somebody else may hold it at the moment, for no longer than we would. */
async function pause(client: Client, id: string, meta: Meta): Promise<void> {
  for (const give = performance.now() + LONGEST_MS + 1000; ; await delay(PAUSE_MS)) {
    try {
      mark(meta)
      await client.call((docker) => docker.getContainer(id).pause())
      // Who held it until now may have taken ours for his own.
      return mark(meta)
    } catch (error) {
      const held = error instanceof Error && /already paused/.test(error.message)
      if (!held || performance.now() > give) throw error
    }
  }
}

/** Where it cannot be written, a start may end the pause too early: then it is as with an engine elsewhere. */
function mark({ run }: Meta): void {
  try {
    if (run !== undefined) writeFileSync(markIn(run), '')
  } catch {}
}

function unmark({ run }: Meta): void {
  try {
    if (run !== undefined) rmSync(markIn(run), { force: true })
  } catch {}
}

function markIn(run: string): string {
  return join(run, 'frozen')
}
