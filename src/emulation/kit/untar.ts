import { fail } from '../../errors/index.ts'

const BLOCK = 512

/** The bytes of one file in a tar stream. */
export async function* tarEntry(tar: AsyncIterable<Buffer>, wanted: string): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0)
  let skip = 0
  let left = 0
  for await (const chunk of tar) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length > 0) {
      if (skip > 0) {
        const step = Math.min(skip, rest.length)
        skip -= step
        rest = rest.subarray(step)
      } else if (left > 0) {
        const piece = rest.subarray(0, left)
        left -= piece.length
        rest = rest.subarray(piece.length)
        yield piece
        if (left === 0) return
      } else {
        if (rest.length < BLOCK) break
        const size = sizeOf(rest)
        if (nameOf(rest) === wanted) left = size
        else skip = Math.ceil(size / BLOCK) * BLOCK
        rest = rest.subarray(BLOCK)
      }
    }
  }
  throw fail('corrupt', left > 0 ? `the archive ends inside ${wanted}` : `the archive has no ${wanted}`)
}

function nameOf(header: Buffer): string {
  return header.toString('utf8', 0, 100).replace(/\0.*$/s, '')
}

function sizeOf(header: Buffer): number {
  return Number.parseInt(header.toString('latin1', 124, 136), 8) || 0
}
