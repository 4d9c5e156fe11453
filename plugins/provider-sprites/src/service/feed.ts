import { fail, given, throwIfAborted } from '../errors.ts'
import { parseMessage } from './message.ts'
import type { Sprite } from '../sprite.ts'

type Message = Readonly<Record<string, unknown>>

/** Messages that wait to be taken. */
const AHEAD = 1000

/** What the service tells on one socket, a message at a time, until given up. A broken connection is an error. */
export async function* feed(sprite: Sprite, words: readonly [string, ...string[]], signal: AbortSignal | undefined, ask?: Message): AsyncGenerator<Message, void> {
  throwIfAborted(signal)
  const socket = await sprite.client.socket(sprite.path(...words), { signal })
  const queue: Message[] = []
  let room: () => void = () => {}
  let wake: () => void = () => {}
  let over = false
  const onAbort = () => socket.close()
  signal?.addEventListener('abort', onAbort, { once: true })
  socket.listen({
    message(data, binary) {
      if (!binary) queue.push(parseMessage(data.toString()))
      wake()
      // No more until these are taken.
      return queue.length < AHEAD ? undefined : new Promise<void>((resolve) => (room = resolve))
    },
    close() {
      over = true
      wake()
    },
  })
  try {
    if (ask) await socket.send(JSON.stringify(ask))
    for (;;) {
      const message = queue.shift()
      if (queue.length === 0) room()
      if (message) yield message
      else if (signal?.aborted) throw given(signal)
      else if (over) throw fail('connection_lost', 'the connection broke', { source: 'transport', computer: sprite.name })
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    socket.close()
  }
}
