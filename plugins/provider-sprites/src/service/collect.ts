import type { ByteSource } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'

/** Far more than any answer that is held in memory has, in bytes. */
const MOST = 64 * 1024 * 1024

/** Whole, of what is known to be small. More than `most` bytes are `corrupt`: nothing of ours fills the memory. */
export async function collect(source: ByteSource, what: string, most = MOST): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of source) {
    size += part.length
    if (size > most) throw fail('corrupt', `${what} has no end: more than ${most} bytes`, { source: 'transport' })
    parts.push(part)
  }
  return Buffer.concat(parts, size)
}
