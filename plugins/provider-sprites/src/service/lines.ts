import type { ByteSource } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'

const MOST = 1024 * 1024

/** Lines without their ends; the last may have none. One of more than 1 MiB is `corrupt`. */
export async function* lines(source: ByteSource): AsyncGenerator<Buffer, void> {
  let parts: Uint8Array[] = []
  let size = 0
  const add = (part: Uint8Array) => {
    size += part.length
    if (size > MOST) throw fail('corrupt', 'the API sent an endless line', { source: 'transport' })
    parts.push(part)
  }
  for await (const chunk of source) {
    let at = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      add(chunk.subarray(at, end))
      yield Buffer.concat(parts)
      at = end + 1
      parts = []
      size = 0
    }
    if (at < chunk.length) add(chunk.subarray(at))
  }
  if (size > 0) yield Buffer.concat(parts)
}
