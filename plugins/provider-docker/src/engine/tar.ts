import { createReadStream, readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { extract, pack } from 'tar-stream'

export interface TarEntry {
  /** Relative, without a slash at its end. */
  readonly name: string
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  /** Of a file; a directory has none. */
  readonly content?: Buffer | string
  /** Instead: what a symbolic link leads to. */
  readonly link?: string
  /** Instead: a file of this machine. */
  readonly from?: { readonly path: string; readonly size: number }
}

/** A directory of this machine with all below it, under another name. */
export function treeOf(name: string, path: string): TarEntry[] {
  const below = readdirSync(path, { withFileTypes: true }).flatMap((entry): TarEntry[] => {
    const [at, from] = [`${name}/${entry.name}`, join(path, entry.name)]
    if (entry.isDirectory()) return treeOf(at, from)
    if (entry.isSymbolicLink()) return [{ name: at, mode: 0o777, link: readlinkSync(from) }]
    const { size, mode } = statSync(from)
    return [{ name: at, mode: mode & 0o755, from: { path: from, size } }]
  })
  return [{ name, mode: 0o755 }, ...below]
}

/** A tar stream, made as it is read. */
export function tarOf(entries: readonly TarEntry[]): Readable {
  const tar = pack()
  void write(tar, entries).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  return tar as unknown as Readable
}

async function write(tar: ReturnType<typeof pack>, entries: readonly TarEntry[]): Promise<void> {
  for (const { name, mode, uid = 0, gid = 0, content, link, from } of entries) {
    const head = { name, mode, uid, gid, mtime: new Date() }
    if (from !== undefined) await pipeline(createReadStream(from.path), tar.entry({ ...head, size: from.size }))
    else if (link !== undefined) tar.entry({ ...head, type: 'symlink', linkname: link })
    else if (content === undefined) tar.entry({ ...head, type: 'directory' })
    else tar.entry(head, content)
  }
}

/** Files of an archive, by name. */
export async function filesOf(stream: NodeJS.ReadableStream, wanted: (name: string) => boolean): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const reader = extract()
  stream.on('error', (error: Error) => reader.destroy(error))
  stream.pipe(reader)
  for await (const entry of reader) {
    if (entry.header.type === 'file' && wanted(entry.header.name)) files.set(entry.header.name, await buffer(entry))
    else entry.resume()
  }
  return files
}
