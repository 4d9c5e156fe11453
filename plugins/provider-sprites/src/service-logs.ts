import { setTimeout as sleep } from 'node:timers/promises'
import type { LogChunk, LogOptions } from '../../../src/contract/index.ts'
import { fail, given, throwIfAborted } from './errors.ts'
import { Patience } from './service/patience.ts'
import type { Sprite } from './sprite.ts'

/** How long one request for a log goes on. */
const FOLLOW = '1h'
const AGAIN_MS = 1000
/** Of the end of what was seen, in bytes: by that its place is found again. */
const MARK = 4096
/** Of the end of a log, in bytes: there it is looked for. */
const WINDOW = 4 * 1024 * 1024

type Stream = LogChunk['stream']
type Positions = Record<Stream, number>
type Piece = Omit<LogChunk, 'offset'>

const both = ['stdout', 'stderr'] as const

/** Offsets count what the service still has: it says nothing of what it dropped. With `tail` they begin at 0. */
export async function* serviceLogs(sprite: Sprite, path: string, { stream = 'both', from, tail, follow = false, signal }: LogOptions): AsyncGenerator<LogChunk, void> {
  if (from !== undefined && stream === 'both') throw fail('invalid_argument', 'an offset counts in one stream: say which', { source: 'amux' })
  const log = new Log(sprite, path, from ?? 0, signal)
  const patience = new Patience()
  for (let lines = tail; ; lines = undefined) {
    try {
      // What comes begins with all there is; after a tail nobody knows where in it that was.
      if (tail !== undefined && !lines) await log.locate()
      for await (const chunk of log.read(lines, follow, () => patience.heard())) if (stream === 'both' || stream === chunk.stream) yield chunk
      if (signal?.aborted) throw given(signal)
      if (!follow) return
      // A request follows for so long only.
      await sleep(AGAIN_MS, undefined, signal && { signal }).catch(() => throwIfAborted(signal))
    } catch (error) {
      if (!follow) throw error
      await patience.wait(error, signal)
    }
  }
}

class Log {
  readonly #sprite: Sprite
  readonly #path: string
  readonly #signal: AbortSignal | undefined
  /** Where in all there is the next byte is that was not seen, and the offset that it is told with. */
  readonly #next: Positions
  readonly #told: Positions
  readonly #marks = { stdout: new End(MARK), stderr: new End(MARK) }

  constructor(sprite: Sprite, path: string, from: number, signal: AbortSignal | undefined) {
    this.#sprite = sprite
    this.#path = path
    this.#next = { stdout: from, stderr: from }
    this.#told = { ...this.#next }
    this.#signal = signal
  }

  /** What was not seen yet. */
  async *read(lines: number | undefined, follow: boolean, onBegun: () => void): AsyncGenerator<LogChunk, void> {
    const at: Positions = { stdout: 0, stderr: 0 }
    for await (const { stream, data } of this.#pieces({ lines: lines || undefined, duration: follow ? FOLLOW : undefined }, onBegun)) {
      const fresh = data.subarray(Math.max(0, Math.min(data.length, this.#next[stream] - at[stream])))
      at[stream] += data.length
      this.#next[stream] = Math.max(this.#next[stream], at[stream])
      if (fresh.length === 0) continue
      const offset = this.#told[stream]
      this.#told[stream] += fresh.length
      this.#marks[stream].add(fresh)
      yield { stream, offset, data: fresh }
    }
  }

  /** Finds the end of what was seen in all there is; where it is not any more, all of that counts as seen. */
  async locate(): Promise<void> {
    const ends = { stdout: new End(WINDOW), stderr: new End(WINDOW) }
    const passed: Positions[] = [{ stdout: 0, stderr: 0 }]
    for await (const { stream, data } of this.#pieces({}, () => {})) {
      ends[stream].add(data)
      passed.push({ stdout: ends.stdout.total, stderr: ends.stderr.total })
    }
    const found: Partial<Positions> = {}
    for (const stream of both) {
      const place = ends[stream].endOf(this.#marks[stream].bytes)
      if (place !== undefined) found[stream] = place
    }
    for (const stream of both) this.#next[stream] = found[stream] ?? this.#beside(stream, found, passed) ?? ends[stream].total
  }

  /** Of one that said nothing yet: what came before the other's end. */
  #beside(stream: Stream, found: Partial<Positions>, passed: readonly Positions[]): number | undefined {
    const other = stream === 'stdout' ? 'stderr' : 'stdout'
    const end = found[other]
    return this.#marks[stream].bytes.length > 0 || end === undefined ? undefined : passed.find((positions) => positions[other] >= end)?.[stream]
  }

  async *#pieces(query: { readonly lines?: number | undefined; readonly duration?: string | undefined }, onBegun: () => void): AsyncGenerator<Piece, void> {
    for await (const { type, data } of this.#sprite.client.events('GET', this.#path, { query, signal: this.#signal, onBegun })) {
      if ((type === 'stdout' || type === 'stderr') && typeof data === 'string') yield { stream: type, data: Buffer.from(data) }
    }
  }
}

/** The last bytes of many, and how many those were. */
class End {
  total = 0
  readonly #parts: Uint8Array[] = []
  #size = 0
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts).subarray(-this.#most)
  }

  add(more: Uint8Array): void {
    this.total += more.length
    this.#size += more.length
    this.#parts.push(more)
    for (let [first] = this.#parts; first && this.#size - first.length >= this.#most; [first] = this.#parts) {
      this.#parts.shift()
      this.#size -= first.length
    }
  }

  /** Where the last of these bytes is that are there. */
  endOf(mark: Buffer): number | undefined {
    const { bytes } = this
    const place = mark.length === 0 ? -1 : bytes.lastIndexOf(mark)
    return place < 0 ? undefined : this.total - bytes.length + place + mark.length
  }
}
