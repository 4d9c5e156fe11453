import { setTimeout as sleep } from 'node:timers/promises'
import type { LogChunk, LogOptions } from '../../../../src/contract/index.ts'
import { fail, given, hasCode, throwIfAborted } from '../errors.ts'
import type { Recorder } from './recorder.ts'
import { Line, NOTHING, type Role } from './recorder-line.ts'
import { Tag, limitOf, outputOf } from './recorder-wire.ts'

const WINDOW = 512 * 1024
const TRIES = 8
/** More than any recorder keeps of both streams, in bytes. */
const KEPT_MOST = 64 * 1024 * 1024
const PAUSE_MS = 250

/** Of a session that is there, each byte once, over as many connections as it takes. */
export async function* readLogs(recorder: Recorder, id: string, { stream = 'both', from, tail, follow = false, signal }: LogOptions): AsyncGenerator<LogChunk, void> {
  if (from !== undefined && stream === 'both') throw fail('invalid_argument', 'an offset needs one stream', { source: 'amux', hint: 'Add --stream stdout or --stream stderr.' })
  const at = { stdout: stream === 'stderr' ? NOTHING : (from ?? 0), stderr: stream === 'stdout' ? NOTHING : (from ?? 0) }
  if (tail !== undefined) {
    yield* lastLines(await collect(read(recorder, id, at, 'd', signal)), tail)
    if (!follow) return
  }
  yield* read(recorder, id, at, follow ? 'v' : 'd', signal)
}

/** Moves `at` on. */
async function* read(recorder: Recorder, id: string, at: { stdout: number; stderr: number }, role: Role, signal: AbortSignal | undefined): AsyncGenerator<LogChunk, void> {
  for (let tries = 0; ; tries++) {
    throwIfAborted(signal)
    const before = at.stdout + at.stderr
    const line = await Line.open(recorder, id, role, at)
    const onAbort = () => line.cut(given(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      for await (const { tag, payload } of line.packets) {
        if (tag === Tag.status) return
        if (tag !== Tag.data) continue
        const { stream, offset, data } = outputOf(payload)
        const fresh = data.subarray(Math.max(0, at[stream] - offset))
        at[stream] = offset + data.length
        if (fresh.length > 0) yield { stream, offset: at[stream] - fresh.length, data: fresh }
        await line.say(Tag.limit, limitOf(stream, at[stream] + WINDOW)).catch(() => undefined)
      }
      throw fail('connection_lost', 'the log broke off', { source: 'transport', computer: recorder.sprite.name, hint: 'Try again.' })
    } catch (error) {
      if (at.stdout + at.stderr > before) tries = 0
      if (signal?.aborted) throw given(signal)
      if (!hasCode(error, 'connection_lost') || tries >= TRIES) throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      await line.leave()
    }
    await sleep(PAUSE_MS * 2 ** tries)
  }
}

async function collect(chunks: AsyncIterable<LogChunk>): Promise<LogChunk[]> {
  const all: LogChunk[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.data.length
    if (size > KEPT_MOST) throw fail('corrupt', 'the log is longer than a recorder keeps', { source: 'transport' })
    all.push(chunk)
  }
  return all
}

/** Lines as they were written, whichever stream they are of; a last one may have no end. */
function lastLines(chunks: readonly LogChunk[], count: number): readonly LogChunk[] {
  if (count <= 0) return []
  let left = count
  for (let index = chunks.length - 1; index >= 0; index--) {
    const chunk = chunks[index] as LogChunk
    const { data } = chunk
    const last = index === chunks.length - 1
    for (let at = data.length - 1; at >= 0; at--) {
      if (data[at] !== 10 || (last && at === data.length - 1)) continue
      if (--left > 0) continue
      const rest = { ...chunk, offset: chunk.offset + at + 1, data: data.subarray(at + 1) }
      return [...(rest.data.length > 0 ? [rest] : []), ...chunks.slice(index + 1)]
    }
  }
  return chunks
}
