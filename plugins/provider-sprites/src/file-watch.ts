import type { FileEvent } from '../../../src/contract/index.ts'
import { fail, given, throwIfAborted } from './errors.ts'
import { program } from './file-errors.ts'
import { parseMessage } from './message.ts'
import type { Sprite } from './sprite.ts'

const kinds: ReadonlySet<string> = new Set(['create', 'write', 'remove', 'rename', 'chmod'])

/** Resolves once the service watches. */
export async function watchFiles(sprite: Sprite, paths: readonly string[], recursive: boolean, signal: AbortSignal | undefined): Promise<AsyncIterable<FileEvent>> {
  throwIfAborted(signal)
  for (const path of paths) await program(sprite, '[ -e "$1" ] || why "$1"', [path], { signal })
  const socket = await sprite.client.socket(sprite.path('fs', 'watch'), { signal })
  const feed = new Feed()
  const onAbort = () => socket.close()
  signal?.addEventListener('abort', onAbort, { once: true })
  const subscribed = new Promise<void>((resolve, reject) => {
    socket.listen({
      message(data, binary) {
        const message = binary ? {} : parseMessage(data.toString())
        if (message['type'] === 'subscribed') resolve()
        else if (message['type'] === 'error') reject(fail('failed', `the service cannot watch: ${String(message['message'])}`, { computer: sprite.name }))
        else feed.take(message)
      },
      close() {
        const lost = signal?.aborted ? given(signal) : fail('connection_lost', 'the connection broke', { source: 'transport', computer: sprite.name })
        reject(lost)
        feed.end(lost)
      },
    })
  })
  try {
    await socket.send(JSON.stringify({ type: 'subscribe', paths, recursive, workingDir: '/' }))
    await subscribed
  } catch (error) {
    socket.close()
    throw error
  }
  return feed.events(() => {
    signal?.removeEventListener('abort', onAbort)
    socket.close()
  })
}

class Feed {
  readonly #queue: FileEvent[] = []
  #over: unknown
  #wake: () => void = () => {}

  take({ type, path, event, isDir, size }: Readonly<Record<string, unknown>>): void {
    if (type !== 'event' || typeof path !== 'string' || typeof event !== 'string' || !kinds.has(event)) return
    this.#queue.push({ path, event: event as FileEvent['event'], directory: isDir === true, ...(typeof size === 'number' && { size }) })
    this.#wake()
  }

  end(reason: unknown): void {
    this.#over ??= reason
    this.#wake()
  }

  async *events(onEnd: () => void): AsyncGenerator<FileEvent, void> {
    try {
      for (;;) {
        const event = this.#queue.shift()
        if (event) yield event
        else if (this.#over !== undefined) throw this.#over
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      onEnd()
    }
  }
}
