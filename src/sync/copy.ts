import { lstat, mkdir, stat } from 'node:fs/promises'
import { basename, dirname, join, posix, resolve } from 'node:path'
import type { ByteSource, EquippedComputer, FileStat } from '../contract/index.ts'
import { fail, hasCode, normalise } from '../errors/index.ts'
import { pack } from './pack.ts'
import { unpack } from './unpack.ts'

type Sides = Pick<EquippedComputer, 'files' | 'archive' | 'name'>

export interface CopyOptions {
  readonly signal: AbortSignal
  /** Told how many bytes of archive have passed. */
  onBytes?(count: number): void
}

/**
 * From this machine to a computer, as `docker cp` does it: into an existing directory, else under the new name. A
 * directory that ends in `/.` gives its content.
 */
export async function copyIn(computer: Sides, from: string, to: string, options: CopyOptions): Promise<void> {
  const source = await lstat(from).catch((error: unknown) => {
    throw hasCode(normalise(error), 'not_found') ? fail('not_found', `there is no ${from} here`) : error
  })
  const there = await remoteStat(computer, to)
  const { signal } = options
  const content = source.isDirectory() && (from.endsWith('/.') || there === undefined)
  if (content) {
    if (there && there.type !== 'directory') throw notDirectory(to, computer)
    if (!there) await mustBeDirectory(computer, posix.dirname(stripped(to)))
    return computer.archive.write(to, counted(pack(resolve(from), ['.']), options), { signal })
  }
  if (source.isDirectory() && there?.type !== 'directory') throw notDirectory(to, computer)
  if (!there && to.endsWith('/')) throw fail('not_found', `${to} is no directory on ${computer.name}`, { computer: computer.name })
  const whole = resolve(from)
  const [base, name] = [basename(whole), there?.type === 'directory' ? basename(whole) : posix.basename(stripped(to))]
  const parent = there?.type === 'directory' ? to : posix.dirname(stripped(to))
  if (there?.type !== 'directory') await mustBeDirectory(computer, parent)
  const tar = pack(dirname(whole), [base], { from: base, to: name })
  return computer.archive.write(parent, counted(tar, options), { signal })
}

/** The other way. Nothing the computer sends can leave the directory that is written to. */
export async function copyOut(computer: Sides, from: string, to: string, options: CopyOptions): Promise<void> {
  const { signal } = options
  const source = await mustExist(computer, from)
  const there = await stat(to).catch(() => undefined)
  const tar = counted(computer.archive.read(stripped(from), { signal }), options)
  if (source.type === 'directory') {
    if (there && !there.isDirectory()) throw fail('conflict', `${to} is no directory`)
    const root = there && !from.endsWith('/.') ? join(to, posix.basename(stripped(from))) : to
    await mkdir(root).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
    return unpack(root, tar, { signal })
  }
  if (!there && to.endsWith('/')) throw fail('not_found', `${to} is no directory`)
  const root = there?.isDirectory() ? to : dirname(resolve(to))
  return unpack(root, tar, { signal, only: there?.isDirectory() ? posix.basename(stripped(from)) : basename(resolve(to)) })
}

/** A tar stream straight through. */
export function readTar(computer: Sides, from: string, options: CopyOptions): ByteSource {
  return counted(computer.archive.read(stripped(from), { signal: options.signal }), options)
}

export async function writeTar(computer: Sides, to: string, tar: ByteSource, options: CopyOptions): Promise<void> {
  await mustBeDirectory(computer, to)
  return computer.archive.write(to, counted(tar, options), { signal: options.signal })
}

async function* counted(source: ByteSource, { onBytes }: CopyOptions): ByteSource {
  let count = 0
  for await (const chunk of source) {
    count += chunk.length
    onBytes?.(count)
    yield chunk
  }
}

/** Follows links, unlike `files.stat`: a link to a directory is a directory here. */
async function remoteStat(computer: Sides, path: string): Promise<FileStat | undefined> {
  const found = await lookUp(computer, stripped(path))
  if (found?.type !== 'link') return found
  return (await lookUp(computer, `${stripped(path)}/.`)) ?? found
}

async function lookUp({ files }: Sides, path: string): Promise<FileStat | undefined> {
  try {
    return await files.stat(path)
  } catch (error) {
    if (hasCode(error, 'not_found', 'conflict')) return undefined
    throw error
  }
}

async function mustExist(computer: Sides, path: string): Promise<FileStat> {
  const found = path.endsWith('/.') || path.endsWith('/') ? await remoteStat(computer, path) : await lookUp(computer, path)
  if (found) return found
  throw fail('not_found', `there is no ${path} on ${computer.name}`, { computer: computer.name })
}

async function mustBeDirectory(computer: Sides, path: string): Promise<void> {
  if ((await remoteStat(computer, path))?.type === 'directory') return
  throw fail('not_found', `${path} is no directory on ${computer.name}`, { computer: computer.name })
}

function notDirectory(path: string, { name }: Sides): Error {
  return fail('conflict', `${path} is there on ${name} and is no directory`, { computer: name })
}

/** Without a trailing slash or `/.`. */
function stripped(path: string): string {
  return path.replace(/(?<=.)\/+\.?$/u, '') || '/'
}
