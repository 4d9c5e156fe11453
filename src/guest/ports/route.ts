import type { Request } from '../request.ts'

/** Events are few and short, so a client that lags costs little. */
export async function portEvents(request: Request): Promise<void> {
  const { stream, guest } = request
  request.lines()
  const stop = await guest.ports.watch((event) => request.line(event))
  if (stream.destroyed) stop()
  else stream.once('close', stop)
}
