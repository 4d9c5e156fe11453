import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { fail, normalise } from '../errors/index.ts'

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

type Create = (path: string) => Promise<unknown>

interface Level {
  readonly name: string
  readonly handle: FileHandle
  /** What this directory is called while it is open, wherever somebody moves it and whatever takes its place. */
  readonly path: string
}

/**
 * Directories below one that are entered step by step and held open, so that no link on the way is ever followed, not
 * even one that appears meanwhile: a project is seen by its computer, which may change it while something is unpacked.
 */
export class Place {
  readonly #levels: Level[]
  readonly #create: Create | undefined

  private constructor(root: Level, create: Create | undefined) {
    this.#levels = [root]
    this.#create = create
  }

  /** `root` itself may be reached through links: the user named it. `create` makes a directory that may be there. */
  static async open(root: string, create?: Create): Promise<Place> {
    const handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY)
    return new Place({ name: '', handle, path: pathOf(handle, root) }, create)
  }

  /** A path for the directory with these names, good until the next call. */
  async enter(names: readonly string[]): Promise<string> {
    let depth = 0
    while (depth < names.length && this.#levels[depth + 1]?.name === names[depth]) depth++
    for (const level of this.#levels.splice(depth + 1)) await level.handle.close()
    for (const name of names.slice(depth)) this.#levels.push(await this.#step(name))
    return this.#top().path
  }

  async close(): Promise<void> {
    for (const { handle } of this.#levels.splice(0)) await handle.close()
  }

  async #step(name: string): Promise<Level> {
    const path = `${this.#top().path}/${name}`
    try {
      await this.#create?.(path)
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    try {
      const handle = await open(path, DIRECTORY)
      return { name, handle, path: pathOf(handle, path) }
    } catch (error) {
      if (!isCode(error, 'ELOOP', 'ENOTDIR')) throw normalise(error)
      throw fail('conflict', 'a link or a file is in the place of one of its directories')
    }
  }

  #top(): Level {
    const top = this.#levels.at(-1)
    if (top) return top
    throw fail('internal', 'the place is closed')
  }
}

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Elsewhere than on Linux an open directory has no path of its own. */
function pathOf(handle: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path
}
