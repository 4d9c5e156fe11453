import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

const prefixes = { 1: 'out.', 2: 'err.' } as const
export type StreamNumber = keyof typeof prefixes

export function segmentFile(stream: StreamNumber, start: number): string {
  return `${prefixes[stream]}${String(start).padStart(20, '0')}`
}

/** Where the kept segments of a stream begin, oldest first. The holder writes and removes them at any time. */
export function segments(dir: string, stream: StreamNumber): number[] {
  const prefix = prefixes[stream]
  try {
    return readdirSync(dir).filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length))).toSorted((a, b) => a - b)
  } catch {
    return []
  }
}

/** Reads one stream's log by absolute offset. Keeps the segment it is in open, so that it cannot vanish under it. */
export class LogReader {
  readonly #dir: string
  readonly #stream: StreamNumber
  #fd: number | undefined
  #start = 0

  constructor(dir: string, stream: StreamNumber) {
    this.#dir = dir
    this.#stream = stream
  }

  /**
   * Reads into `buffer` what is there at `offset`: the number of bytes, or where the next kept byte is. Nothing kept
   * beyond `offset`: 0.
   */
  read(offset: number, buffer: Uint8Array): { readonly bytes: number } | { readonly next: number } {
    for (let fresh = false; ; fresh = true) {
      if (this.#fd !== undefined && offset >= this.#start) {
        const bytes = readSync(this.#fd, buffer, 0, buffer.length, offset - this.#start)
        if (bytes > 0) return { bytes }
      }
      if (fresh) break
      this.#open(offset)
    }
    const next = segments(this.#dir, this.#stream).find((start) => start > offset)
    return next === undefined ? { bytes: 0 } : { next }
  }

  /** The last segment that begins at or before `offset`. */
  #open(offset: number): void {
    const start = segments(this.#dir, this.#stream).findLast((candidate) => candidate <= offset)
    if (start === undefined) return this.close()
    if (this.#fd !== undefined && start === this.#start) return
    this.close()
    try {
      this.#fd = openSync(join(this.#dir, segmentFile(this.#stream, start)), 'r')
      this.#start = start
    } catch {
      // Removed in between: the next one counts.
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
