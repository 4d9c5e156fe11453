import type { AmuxError, LogChunk, LogOptions } from '../../contract/index.ts'
import { normalise } from '../../errors/index.ts'
import { Frame } from '../../protocol/index.ts'
import { Bell } from '../../util/bell.ts'
import { names } from './exit.ts'
import type { SessionHost } from './host.ts'
import { Link } from './link.ts'
import { Positions } from './positions.ts'

const HIGH = 1024 * 1024
const LOW = 256 * 1024

/** A session's log, at the reader's pace. A lost connection ends it: the reader knows the offset to go on from. */
export async function* readLogs(host: SessionHost, path: string, options: LogOptions): AsyncGenerator<LogChunk, void> {
  const { signal, stream, from, tail, follow } = options
  stopIfAborted(signal)
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries({ stream, from, tail })) if (value !== undefined) query.set(key, String(value))
  if (follow === true) query.set('follow', '1')

  const positions = new Positions(undefined)
  const queue: LogChunk[] = []
  let waiting = 0
  let paused = false
  const ending: { over: boolean; failure?: AmuxError | undefined } = { over: false }
  const bell = new Bell()

  const link = new Link(await host.connection(signal), 'GET', `${path}?${query.toString()}`, {
    session: () => {},
    output(which, data) {
      const end = positions.advance(which, data.length) ?? data.length
      queue.push({ stream: which, offset: end - data.length, data })
      waiting += data.length
      if (!paused && waiting >= HIGH) {
        paused = true
        link.pause()
      }
      bell.ring()
    },
    control: (type, payload) => (type === Frame.mark ? positions.mark(payload) : undefined),
    closed(error) {
      ending.over = true
      ending.failure = error
      bell.ring()
    },
  }, host.headers)
  const onAbort = () => link.cancel()
  signal?.addEventListener('abort', onAbort)

  try {
    for (;;) {
      while (queue.length === 0 && !ending.over) await bell.heard()
      stopIfAborted(signal)
      const chunk = queue.shift()
      if (chunk === undefined) break
      yield chunk
      waiting -= chunk.data.length
      if (paused && waiting < LOW) {
        paused = false
        link.resume()
      }
    }
    if (ending.failure !== undefined) throw normalise(ending.failure, names(host))
  } finally {
    signal?.removeEventListener('abort', onAbort)
    link.cancel()
  }
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw normalise(signal.reason)
}
