import type { Stats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { basename, dirname, posix, resolve } from 'node:path'
import type { FileStat } from '../contract/index.ts'
import { fail, hasCode, normalise } from '../errors/index.ts'
import { kindOf } from '../tar/index.ts'
import { readableAt } from '../util/readable.ts'
import { pack } from './pack.ts'
import { type CopyOptions, type Sides, counted, lookUp, mustBeDirectory, pourIn, remoteStat, stripped } from './sides.ts'

/**
 * From this machine to a computer, as `docker cp` does it: into an existing directory, else under the new name. A
 * directory that ends in `/.` gives its content.
 */
export async function copyIn(computer: Sides, from: string, to: string, options: CopyOptions): Promise<void> {
  const source = await lstat(from).catch((error: unknown) => {
    throw hasCode(normalise(error), 'not_found', 'conflict') ? fail('not_found', `there is no ${from} here`) : error
  })
  const there = await remoteStat(computer, to)
  if (source.isDirectory()) return copyDirectory(computer, from, to, there, options)
  if (there && there.type !== 'directory' && to.endsWith('/')) throw notDirectory(to, computer)
  if (!there && to.endsWith('/')) throw fail('not_found', `${to} is no directory on ${computer.name}`, { computer: computer.name })
  const inside = there?.type === 'directory'
  const target = inside ? posix.join(to, basename(resolve(from))) : stripped(to)
  const parent = posix.dirname(target)
  if (!inside) await mustBeDirectory(computer, parent)
  return copyFile(computer, { path: from, stat: source }, { path: target, stat: inside ? await lookUp(computer, target) : there }, options)
}

async function copyDirectory(computer: Sides, from: string, to: string, there: FileStat | undefined, options: CopyOptions): Promise<void> {
  if (there && there.type !== 'directory') throw notDirectory(to, computer)
  const { signal } = options
  if (there && !from.endsWith('/.')) {
    const base = basename(resolve(from))
    return computer.archive.write(to, counted(pack(dirname(resolve(from)), [base], options), options), { signal })
  }
  if (!there) await mustBeDirectory(computer, posix.dirname(stripped(to)))
  return computer.archive.write(to, counted(pack(resolve(from), ['.'], options), options), { signal })
}

interface Here {
  readonly path: string
  readonly stat: Stats
}

interface There {
  readonly path: string
  readonly stat: FileStat | undefined
}

async function copyFile(computer: Sides, { path: from, stat: source }: Here, { path: to, stat: there }: There, options: CopyOptions): Promise<void> {
  const content = source.isSymbolicLink() ? await stat(from).catch(() => source) : source
  const flows = content.isFIFO() || content.isCharacterDevice()
  if (content.isSocket() || content.isBlockDevice()) throw fail('invalid_argument', `${from} is ${kindOf(content)}: that cannot be copied`)
  const read = () => counted(readableAt(from), options)
  // A link is copied as a link, unless there is something behind it that only flows.
  const plain = source.isFile() || flows
  if (there?.type === 'other' || (there?.type === 'link' && plain)) {
    if (plain) return pourIn(computer, to, read(), options)
    throw fail('conflict', `${to} on ${computer.name} is no file`, { computer: computer.name })
  }
  // What tells no size, such as files below /proc, is read to its end.
  if (flows || (source.isFile() && source.size === 0)) return computer.files.write(to, read(), { mode: flows ? 0o644 : source.mode & 0o777, signal: options.signal })
  const whole = resolve(from)
  const tar = pack(dirname(whole), [basename(whole)], { rename: { from: basename(whole), to: posix.basename(to) } })
  return computer.archive.write(posix.dirname(to), counted(tar, options), { signal: options.signal })
}

function notDirectory(path: string, { name }: Sides): Error {
  return fail('conflict', `${path} is there on ${name} and is no directory`, { computer: name })
}
