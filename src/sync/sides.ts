import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { posix } from 'node:path'
import type { ByteSource, EquippedComputer, FileStat } from '../contract/index.ts'
import { fail, hasCode } from '../errors/index.ts'
import { type Opens, opens, type Writes, writes } from '../tar/index.ts'

/** As many links as Linux follows. */
const HOPS = 40

/** As much of a computer as copying takes. */
export type Sides = Pick<EquippedComputer, 'files' | 'archive' | 'name' | 'spawn'>

export interface CopyOptions {
  readonly signal: AbortSignal
  /** Told how many bytes of archive have passed. */
  onBytes?(count: number): void
  /** Told what was left out, and what it is. */
  onSkipped?(path: string, what: string): void
}

/** The same source, which tells how much of it has passed. */
export function counted(source: ByteSource, { onBytes }: CopyOptions): ByteSource {
  const counting = count(source, onBytes)
  if (writes(source)) return Object.assign(counting, { writeTo: (socket, options) => source.writeTo(socket, { ...options, onBytes }) } satisfies Pick<Writes, 'writeTo'>)
  if (!opens(source)) return counting
  const openSocket: Opens['openSocket'] = async (signal) => {
    const opened = await source.openSocket(signal)
    return opened && { ...opened, onBytes }
  }
  return Object.assign(counting, { openSocket })
}

async function* count(source: ByteSource, onBytes: CopyOptions['onBytes']): ByteSource {
  let count = 0
  for await (const chunk of source) {
    count += chunk.length
    onBytes?.(count)
    yield chunk
  }
}

/** Follows links, unlike `files.stat`: a link to a directory is a directory here. */
export async function remoteStat(computer: Sides, path: string): Promise<FileStat | undefined> {
  let found = await lookUp(computer, stripped(path))
  for (let hops = 0; found?.target !== undefined && hops < HOPS; hops++) {
    const behind = await lookUp(computer, posix.resolve(posix.dirname(found.path), found.target))
    if (!behind) break
    found = behind
  }
  return found
}

export async function lookUp({ files }: Sides, path: string): Promise<FileStat | undefined> {
  try {
    return await files.stat(path)
  } catch (error) {
    if (hasCode(error, 'not_found', 'conflict')) return undefined
    throw error
  }
}

export async function mustExist(computer: Sides, path: string): Promise<FileStat> {
  const found = path.endsWith('/.') || path.endsWith('/') ? await remoteStat(computer, path) : await lookUp(computer, path)
  if (found) return found
  throw fail('not_found', `there is no ${path} on ${computer.name}`, { computer: computer.name })
}

export async function mustBeDirectory(computer: Sides, path: string): Promise<void> {
  if ((await remoteStat(computer, path))?.type === 'directory') return
  throw fail('not_found', `${path} is no directory on ${computer.name}`, { computer: computer.name })
}

/** Writes into what is there and is no plain file: it stays what it is. */
export async function pourIn(computer: Sides, path: string, source: ByteSource, { signal }: CopyOptions): Promise<void> {
  const absolute = path.startsWith('/') ? path : posix.join('.', path)
  const program = await computer.spawn(['/bin/sh', '-c', 'case $1 in /*) ;; *) cd || exit;; esac; cat > "$1"', 'sh', absolute], { signal })
  const said = text(program.stderr)
  try {
    for await (const chunk of source) await program.stdin.write(chunk)
    await program.stdin.end()
  } catch (error) {
    // It ended before all was written: why, it says itself.
    if (!hasCode(error, 'connection_lost')) throw error
  }
  const { code } = await program.exit
  if (code === 0) return
  const why = (await said).trim().replace(/^.*: /u, '')
  throw fail('failed', `${path} on ${computer.name} cannot be written${why === '' ? '' : `: ${why}`}`, { computer: computer.name })
}

/** The same on this machine. */
export async function pourOut(path: string, follow: boolean, source: ByteSource): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND | (follow ? 0 : constants.O_NOFOLLOW))
  try {
    for await (const chunk of source) await file.writeFile(chunk)
  } finally {
    await file.close()
  }
}

async function text(source: ByteSource): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Without a trailing slash or `/.`. */
export function stripped(path: string): string {
  return path.replace(/(?<=.)\/+\.?$/u, '') || '/'
}
