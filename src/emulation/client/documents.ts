import type { ClientHttp2Stream } from 'node:http2'
import { fail, normalise } from '../../errors/index.ts'
import { sourceOf } from '../../util/streams.ts'
import { cancel } from './calls.ts'
import { parseJson } from './wire.ts'

const LONGEST_LINE = 64 * 1024

/** An answer of one JSON document a line, for as long as there are any. */
export async function* documents<T>(stream: ClientHttp2Stream, looksRight: (value: object) => boolean, signal: AbortSignal | undefined): AsyncGenerator<T, void> {
  let rest = Buffer.alloc(0)
  const onAbort = () => cancel(stream)
  signal?.addEventListener('abort', onAbort)
  try {
    for await (const chunk of sourceOf(stream)) {
      rest = Buffer.concat([rest, chunk])
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const line = rest.subarray(0, end)
        rest = rest.subarray(end + 1)
        if (line.length > 0) yield parseJson<T>(line, looksRight)
      }
      if (rest.length > LONGEST_LINE) throw fail('corrupt', 'the guest sent an endless line', { source: 'transport' })
    }
    signal?.throwIfAborted()
    throw fail('connection_lost', 'the connection to the computer broke', { source: 'transport' })
  } catch (error) {
    throw normalise(signal?.aborted === true ? signal.reason : error, { source: 'transport' })
  } finally {
    signal?.removeEventListener('abort', onAbort)
    cancel(stream)
  }
}
