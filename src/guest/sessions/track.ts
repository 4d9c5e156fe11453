import { statSync } from 'node:fs'
import { join } from 'node:path'
import { segmentFile, segments, type StreamNumber } from './log.ts'

/** One output stream of a session: how far it got. */
export class Track {
  readonly number: StreamNumber
  /** Absolute offset behind the last byte. */
  end = 0
  /** No more output. */
  ended = false
  /** What lies before was delivered and is not part of the log. */
  base: number

  constructor(number: StreamNumber, base = 0) {
    this.number = number
    this.base = base
  }

  get name(): 'stdout' | 'stderr' {
    return this.number === 1 ? 'stdout' : 'stderr'
  }

  /** The oldest byte that can be read. */
  floor(dir: string): number {
    return Math.max(this.base, segments(dir, this.number)[0] ?? this.end)
  }

  /** What the log knows of a stream whose holder is gone. */
  recover(dir: string): void {
    const last = segments(dir, this.number).at(-1)
    if (last !== undefined) this.end = last + statSync(join(dir, segmentFile(this.number, last))).size
    this.ended = true
  }
}
