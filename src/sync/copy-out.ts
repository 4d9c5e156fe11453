import { lstat, mkdir, stat } from 'node:fs/promises'
import { basename, dirname, join, posix, resolve } from 'node:path'
import { fail } from '../errors/index.ts'
import { isCode } from './place.ts'
import { type CopyOptions, type Sides, counted, mustExist, pourOut, stripped } from './sides.ts'
import { unpack } from './unpack.ts'

const DESCRIPTOR = /^\/(dev\/(stdout|stderr|fd\/\d+)|proc\/self\/fd\/\d+)$/u

/** The other way. Nothing the computer sends can leave the directory that is written to. */
export async function copyOut(computer: Sides, from: string, to: string, options: CopyOptions): Promise<void> {
  const { signal } = options
  const source = await mustExist(computer, from)
  const there = await stat(to).catch(() => undefined)
  const inside = there?.isDirectory() === true
  if (source.type === 'directory') {
    if (there && !inside) throw fail('conflict', `${to} is no directory`)
    const root = inside && !from.endsWith('/.') ? join(to, posix.basename(stripped(from))) : to
    await mustBeHere(dirname(resolve(root)))
    await mkdir(root).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error
    })
    return unpack(root, counted(computer.archive.read(stripped(from), { signal }), options), { signal, onSkipped: options.onSkipped })
  }
  if (there && !inside && to.endsWith('/')) throw fail('conflict', `${to} is no directory`)
  if (!there && to.endsWith('/')) throw fail('not_found', `${to} is no directory`)
  const target = inside ? join(to, posix.basename(stripped(from))) : resolve(to)
  if (await isOpenOnly(target)) return pourOut(target, DESCRIPTOR.test(target), counted(computer.files.read(stripped(from), { signal }), options))
  await mustBeHere(dirname(target))
  return unpack(dirname(target), counted(computer.archive.read(stripped(from), { signal }), options), { signal, only: basename(target) })
}

/**
 * A device or a pipe, which must not be replaced by a file. A link is: written through it, what a computer put into the
 * project would lead anywhere. Only those to this program's own descriptors are followed.
 */
async function isOpenOnly(path: string): Promise<boolean> {
  if (DESCRIPTOR.test(path)) return true
  const there = await lstat(path).catch(() => undefined)
  return there !== undefined && !there.isFile() && !there.isDirectory() && !there.isSymbolicLink()
}

async function mustBeHere(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined)
  if (!found) throw fail('not_found', `there is no directory ${directory}`, { hint: `Make it first: mkdir -p ${directory}` })
  if (!found.isDirectory()) throw fail('conflict', `${directory} is no directory`)
}
