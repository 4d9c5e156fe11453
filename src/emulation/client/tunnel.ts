import type { ByteStream } from '../../contract/index.ts'
import { Path } from '../../protocol/index.ts'
import { streamOf } from '../../util/streams.ts'
import { type Calls, cancel } from './calls.ts'
import { names } from './exit.ts'
import type { SessionHost } from './host.ts'

export interface TunnelOptions {
  readonly host?: string
  readonly signal?: AbortSignal
}

/** One raw TCP connection as an HTTP/2 stream. */
export async function openTunnel(host: SessionHost, calls: Calls, port: number, options: TunnelOptions = {}): Promise<ByteStream> {
  const { signal } = options
  const { stream } = await calls.open('POST', Path.tunnel, { query: { host: options.host ?? '127.0.0.1', port }, signal }, false)
  const onAbort = () => cancel(stream)
  signal?.addEventListener('abort', onAbort)
  stream.once('close', () => signal?.removeEventListener('abort', onAbort))
  return { ...streamOf(stream, { source: 'transport', ...names(host) }), close: () => cancel(stream) }
}
