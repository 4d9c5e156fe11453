import type { Request } from '../request.ts'

/** NDJSON, one event a line, until the client leaves. Events are few and short, so a client that lags costs little. */
export async function portEvents({ stream, guest }: Request): Promise<void> {
  stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' })
  const stop = await guest.ports.watch((event) => {
    if (stream.writableLength < LAG_MAX) stream.write(`${JSON.stringify(event)}\n`)
    else stream.destroy(new Error('the client does not read'))
  })
  if (stream.destroyed) stop()
  else stream.once('close', stop)
}

const LAG_MAX = 4 * 1024 * 1024
