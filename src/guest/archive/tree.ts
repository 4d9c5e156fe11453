import { chownSync, lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs'
import type { User } from '../users.ts'
import { GuestError } from '../wire.ts'
import type { Entry } from '../../tar/index.ts'

/**
 * Where entries may go: below `root`, never through a link. Paths are latin1 (see `Entry`). Every directory on the way
 * is looked at once, without following, and remembered: no entry can turn it into a link later, because only what is
 * not a directory is ever replaced.
 */
export class Tree {
  readonly root: string
  /** Who gets what is made; nobody in particular where the guest has no right to choose. */
  readonly owner: User | undefined
  readonly #known: Set<string>

  /** `root` is an existing directory. */
  constructor(root: string, owner: User | undefined) {
    this.root = Buffer.from(root).toString('latin1')
    this.owner = owner
    this.#known = new Set([this.root])
  }

  /** The path of an entry, its parents made; made too if it is a directory. */
  locate(entry: Entry): string {
    const names = this.#names(entry.name)
    const last = names.pop()
    const parent = names.reduce((path, name) => this.#directory(`${path}/${name}`), this.root)
    if (last === undefined) {
      if (entry.type === 'directory') return this.root
      throw new GuestError('invalid_argument', 'it has no name')
    }
    const path = `${parent}/${last}`
    if (entry.type === 'directory') return this.#directory(path)
    return path
  }

  /** Removes what is in the way of something new. */
  clear(path: string): void {
    const there = look(path)
    if (there?.isDirectory() === true) throw new GuestError('conflict', 'a directory is in its place')
    if (there !== undefined && !there.isFile() && !there.isSymbolicLink()) throw new GuestError('conflict', 'a device or a pipe is in its place')
    if (there !== undefined) unlinkSync(Buffer.from(path, 'latin1'))
  }

  /** A file unpacked before, which a hard link names. */
  existing(name: string): string {
    const names = this.#names(name)
    const last = names.pop() ?? ''
    let path = this.root
    for (const part of names) {
      path = `${path}/${part}`
      if (look(path)?.isDirectory() !== true) throw new GuestError('invalid_argument', 'it is a hard link to a file outside the archive')
    }
    const target = `${path}/${last}`
    if (look(target)?.isFile() !== true) throw new GuestError('invalid_argument', 'it is a hard link to something that is no file in the archive')
    return target
  }

  #names(name: string): string[] {
    if (name.startsWith('/')) throw new GuestError('invalid_argument', 'its name is absolute')
    if (name.includes('\0')) throw new GuestError('invalid_argument', 'its name contains a zero byte')
    const names = name.split('/').filter((part) => part !== '' && part !== '.')
    if (names.includes('..')) throw new GuestError('invalid_argument', 'its name leads out of the archive (..)')
    return names
  }

  #directory(path: string): string {
    if (this.#known.has(path)) return path
    const there = look(path)
    if (there?.isSymbolicLink() === true) throw new GuestError('conflict', 'it would be written through a link')
    if (there !== undefined && !there.isDirectory()) throw new GuestError('conflict', 'a file is in the place of one of its directories')
    if (there === undefined) {
      const made = Buffer.from(path, 'latin1')
      mkdirSync(made, 0o755)
      if (this.owner !== undefined) chownSync(made, this.owner.uid, this.owner.gid)
    }
    this.#known.add(path)
    return path
  }
}

function look(path: string): Stats | undefined {
  return lstatSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false })
}
