import type { FileEvent } from '../../../../src/contract/index.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { feed } from '../service/feed.ts'
import { program } from './errors.ts'
import type { Sprite } from '../sprite.ts'

const kinds: ReadonlySet<string> = new Set(['create', 'write', 'remove', 'rename', 'chmod'])

/** Resolves once the service watches. */
export async function watchFiles(sprite: Sprite, paths: readonly string[], recursive: boolean, signal: AbortSignal | undefined): Promise<AsyncIterable<FileEvent>> {
  throwIfAborted(signal)
  for (const path of paths) await program(sprite, '[ -e "$1" ] || why "$1"', [path], { signal })
  const messages = feed(sprite, ['fs', 'watch'], signal, { type: 'subscribe', paths, recursive, workingDir: '/' })
  for (;;) {
    const { value: message } = await messages.next()
    if (message?.['type'] === 'subscribed') return events(messages)
    if (message?.['type'] !== 'error') continue
    await messages.return()
    throw fail('failed', `the service cannot watch: ${String(message['message'])}`, { computer: sprite.name })
  }
}

async function* events(messages: AsyncIterable<Readonly<Record<string, unknown>>>): AsyncGenerator<FileEvent, void> {
  for await (const { type, path, event, isDir, size } of messages) {
    if (type !== 'event' || typeof path !== 'string' || typeof event !== 'string' || !kinds.has(event)) continue
    yield { path, event: event as FileEvent['event'], directory: isDir === true, ...(typeof size === 'number' && { size }) }
  }
}
