import { once } from 'node:events'
import type { Parser, ReadEntry } from 'tar'
import type { ByteSource } from '../contract/index.ts'
import { fail, isAmuxError } from '../errors/index.ts'

export interface Entry {
  readonly name: string
  readonly type: 'file' | 'directory' | 'link' | 'hardlink'
  readonly size: number
  readonly mode: number
  readonly mtime: Date
  /** Of a link. */
  readonly target: string
  readonly body: ByteSource
}

const types: Readonly<Record<string, Entry['type']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'directory',
  SymbolicLink: 'link',
  Link: 'hardlink',
}

/** The entries of a tar stream, one at a time and at the reader's pace. What is no file, directory or link is an error. */
export async function* entries(tar: ByteSource, signal?: AbortSignal): AsyncGenerator<Entry> {
  const tape = await import('tar')
  const arrived: ReadEntry[] = []
  const left = new AbortController()
  let ring = () => undefined as void
  const more = () =>
    new Promise<void>((resolve) => {
      ring = resolve
    })
  const parser = new tape.Parser({
    strict: true,
    onReadEntry(entry: ReadEntry) {
      arrived.push(entry)
      ring()
    },
  })
  const broken = new Promise<never>((_, reject) => parser.on('error', (cause: unknown) => reject(unreadable(cause))))
  const fed = feed(parser, tar, left.signal)
  let done = false
  fed.then(() => (done = true), () => undefined)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const entry = arrived.shift()
      if (entry) {
        yield toEntry(entry)
        entry.resume()
      } else if (done) return
      else await Promise.race([more(), broken, fed])
    }
  } finally {
    left.abort()
    broken.catch(() => undefined)
    fed.catch(() => undefined)
  }
}

async function feed(parser: Parser, tar: ByteSource, left: AbortSignal): Promise<void> {
  for await (const chunk of tar) {
    if (left.aborted) return
    if (!parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) await once(parser, 'drain', { signal: left })
  }
  const ended = once(parser, 'end', { signal: left })
  parser.end()
  await ended
}

function toEntry(entry: ReadEntry): Entry {
  const type = types[entry.type]
  if (type === undefined) throw fail('corrupt', `refused ${JSON.stringify(entry.path)}: a ${entry.type}`)
  if (type === 'file' && ((entry.mode ?? 0) & 0o6000) !== 0) {
    throw fail('corrupt', `refused ${JSON.stringify(entry.path)}: it would run with the rights of its owner (setuid or setgid)`)
  }
  return { name: entry.path, type, size: entry.size, mode: entry.mode ?? 0o644, mtime: entry.mtime ?? new Date(0), target: entry.linkpath ?? '', body: entry }
}

function unreadable(cause: unknown): Error {
  if (isAmuxError(cause)) return cause
  return fail('corrupt', `this is no tar archive, or it is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
