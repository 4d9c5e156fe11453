import { LogReader, type StreamNumber } from './log.ts'
import type { Piece } from './pieces.ts'

const BLOCK = 64 * 1024
const NEWLINE = 10

/** The end of these pieces that holds the last `lines` lines. A line that is not ended yet counts. */
export function lastLines(dir: string, pieces: readonly Piece[], lines: number): Piece[] {
  if (lines === 0) return []
  const counter = new LineCounter(lines)
  const kept: Piece[] = []
  for (const piece of pieces.toReversed()) {
    const from = counter.back(dir, piece)
    kept.unshift({ ...piece, from: from ?? piece.from })
    if (from !== undefined) break
  }
  return kept
}

class LineCounter {
  #left: number
  #first = true

  constructor(lines: number) {
    this.#left = lines
  }

  /** Goes backwards through a piece: where the wanted lines begin, if that is in it. */
  back(dir: string, { stream, from, to }: Piece): number | undefined {
    for (let end = to; end > from; ) {
      const begin = Math.max(from, end - BLOCK)
      const at = this.#search(readAll(dir, stream, begin, end))
      if (at !== undefined) return begin + at
      end = begin
    }
    return undefined
  }

  #search(block: Buffer): number | undefined {
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      // The newline at the very end closes the last line, it begins none.
      const closing = this.#first && at === block.length - 1
      this.#first = false
      if (!closing && --this.#left === 0) return at + 1
    }
    this.#first = false
    return undefined
  }
}

function readAll(dir: string, stream: StreamNumber, from: number, to: number): Buffer {
  const reader = new LogReader(dir, stream)
  const bytes = Buffer.alloc(to - from)
  let filled = 0
  while (filled < bytes.length) {
    const result = reader.read(from + filled, bytes.subarray(filled))
    if ('next' in result) filled = Math.min(result.next - from, bytes.length)
    else if (result.bytes === 0) break
    else filled += result.bytes
  }
  reader.close()
  return bytes
}
