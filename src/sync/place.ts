import { closeSync, constants, openSync } from 'node:fs'
import { fail, normalise } from '../errors/index.ts'

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

type Create = (path: string) => void

interface Level {
  readonly name: string
  readonly fd: number
  /** What this directory is called while it is open, wherever somebody moves it and whatever takes its place. */
  readonly path: string
  /** Made by us: nothing is in it that is not ours. */
  readonly made: boolean
}

/**
 * Directories below one that are entered step by step and held open, so that no link on the way is ever followed, not
 * even one that appears meanwhile: a project is seen by its computer, which may change it while something is unpacked.
 * Each step waits for the disk: a trip through the thread pool takes longer.
 */
export class Place {
  readonly #levels: Level[]
  readonly #create: Create | undefined

  private constructor(root: Level, create: Create | undefined) {
    this.#levels = [root]
    this.#create = create
  }

  /** `root` itself may be reached through links: the user named it. `create` makes a directory that may be there. */
  static open(root: string, create?: Create): Place {
    const fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
    return new Place({ name: '', fd, path: pathOf(fd, root), made: false }, create)
  }

  /** A path for the root, good until the end. */
  get root(): string {
    return this.#levels[0]?.path ?? closed()
  }

  /** Whether the directory entered last was made for it, just now. */
  get made(): boolean {
    return this.#top().made
  }

  /** A path for the directory with these names, good until the next call. */
  enter(names: readonly string[]): string {
    let depth = 0
    while (depth < names.length && this.#levels[depth + 1]?.name === names[depth]) depth++
    for (const level of this.#levels.splice(depth + 1)) closeSync(level.fd)
    for (const name of names.slice(depth)) this.#levels.push(this.#step(name))
    return this.#top().path
  }

  close(): void {
    for (const { fd } of this.#levels.splice(0)) closeSync(fd)
  }

  #step(name: string): Level {
    const path = `${this.#top().path}/${name}`
    const made = this.#make(path)
    try {
      const fd = openSync(path, DIRECTORY)
      return { name, fd, path: pathOf(fd, path), made }
    } catch (error) {
      if (!isCode(error, 'ELOOP', 'ENOTDIR')) throw normalise(error)
      throw fail('conflict', 'a link or a file is in the place of one of its directories')
    }
  }

  #make(path: string): boolean {
    try {
      this.#create?.(path)
      return this.#create !== undefined
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false
      throw error
    }
  }

  #top(): Level {
    return this.#levels.at(-1) ?? closed()
  }
}

function closed(): never {
  throw fail('internal', 'the place is closed')
}

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Elsewhere than on Linux an open directory has no path of its own. */
function pathOf(fd: number, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}` : path
}
