import type { ByteStream } from '../../contract/index.ts'
import { Path } from '../../protocol/index.ts'
import { streamOf } from '../../util/streams.ts'
import { type Calls, cancel } from './calls.ts'
import { documents } from './documents.ts'
import { names } from './exit.ts'
import type { SessionHost } from './host.ts'

/** A unix socket on the computer whose connections come here, until given up. */
export async function listenOn(host: SessionHost, calls: Calls, path: string, { mode = 0o600, signal }: { readonly mode?: number; readonly signal?: AbortSignal } = {}): Promise<AsyncIterable<ByteStream>> {
  const { stream } = await calls.open('POST', Path.listen, { query: { path, mode: mode.toString(8) }, signal }, true)
  const coming = documents<{ readonly id: string }>(stream, (value) => 'id' in value, signal)
  return taken(host, calls, coming)
}

async function* taken(host: SessionHost, calls: Calls, coming: AsyncIterable<{ readonly id: string }>): AsyncGenerator<ByteStream, void> {
  for await (const { id } of coming) {
    const opened = await calls.open('POST', Path.accept, { query: { id } }, false).catch(() => undefined)
    // Whoever connected has gone already.
    if (opened === undefined) continue
    const { stream } = opened
    yield { ...streamOf(stream, { source: 'transport', ...names(host) }), close: () => cancel(stream) }
  }
}
