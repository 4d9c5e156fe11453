import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StreamNumber } from './log.ts'

/** A stretch of one stream's log. */
export interface Piece {
  readonly stream: StreamNumber
  readonly from: number
  readonly to: number
}

/** How far both streams are. */
type Ends = readonly [number, number]

const ENTRY = 16

/**
 * Two streams' logs from `from` to `to`, in the order they were written: the holder notes both ends whenever output
 * changes from one to the other. Where it kept no note, stdout comes first.
 */
export function mergedPieces(dir: string, from: Ends, to: Ends): Piece[] {
  const pieces: Piece[] = []
  let at = from
  for (const point of [...points(dir), to]) {
    const next: Ends = [clamp(point[0], at[0], to[0]), clamp(point[1], at[1], to[1])]
    for (const stream of [1, 2] as const) {
      const [begin, end] = [at[stream - 1] ?? 0, next[stream - 1] ?? 0]
      if (end > begin) pieces.push({ stream, from: begin, to: end })
    }
    at = next
  }
  return pieces
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}

function points(dir: string): Ends[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(join(dir, 'order'))
  } catch {
    return []
  }
  const count = Math.floor(bytes.length / ENTRY)
  return Array.from({ length: count }, (_, index) => [Number(bytes.readBigUInt64BE(index * ENTRY)), Number(bytes.readBigUInt64BE(index * ENTRY + 8))])
}
