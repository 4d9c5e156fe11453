import type { FileEvent, WatchOptions } from '../../../../src/contract/index.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { feed } from '../service/feed.ts'
import { Patience } from '../service/patience.ts'
import { program } from './errors.ts'
import type { Sprite } from '../sprite.ts'

const kinds: ReadonlySet<string> = new Set(['create', 'write', 'remove', 'rename', 'chmod'])

type Messages = AsyncGenerator<Readonly<Record<string, unknown>>, void>

/** Resolves once the service watches. */
export async function watchFiles(sprite: Sprite, paths: readonly string[], { recursive = false, signal, onMissed }: WatchOptions): Promise<AsyncIterable<FileEvent>> {
  throwIfAborted(signal)
  for (const path of paths) await program(sprite, '[ -e "$1" ] || why "$1"', [path], { signal })
  const begin = () => subscribe(sprite, paths, recursive, signal)
  return events(await begin(), begin, signal, onMissed)
}

async function subscribe(sprite: Sprite, paths: readonly string[], recursive: boolean, signal: AbortSignal | undefined): Promise<Messages> {
  const messages = feed(sprite, ['fs', 'watch'], signal, { type: 'subscribe', paths, recursive, workingDir: '/' })
  for (;;) {
    const { value: message } = await messages.next()
    if (message?.['type'] === 'subscribed') return messages
    if (message?.['type'] !== 'error') continue
    await messages.return()
    throw fail('failed', `the service cannot watch: ${String(message['message'])}`, { computer: sprite.name })
  }
}

/** Over as many connections as it takes. */
async function* events(first: Messages, again: () => Promise<Messages>, signal: AbortSignal | undefined, onMissed: WatchOptions['onMissed']): AsyncGenerator<FileEvent, void> {
  const patience = new Patience()
  for (let messages: Messages | undefined = first; ; messages = undefined) {
    try {
      const now = messages ?? (await again())
      patience.heard()
      if (messages === undefined) onMissed?.()
      for await (const message of now) yield* eventOf(message)
    } catch (error) {
      await patience.wait(error, signal)
    }
  }
}

function eventOf({ type, path, event, isDir, size }: Readonly<Record<string, unknown>>): readonly FileEvent[] {
  if (type !== 'event' || typeof path !== 'string' || typeof event !== 'string' || !kinds.has(event)) return []
  return [{ path, event: event as FileEvent['event'], directory: isDir === true, ...(typeof size === 'number' && { size }) }]
}
