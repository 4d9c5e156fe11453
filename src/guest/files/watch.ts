import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileEvent } from '../../contract/index.ts'

type Tell = (event: FileEvent) => void

/** Tells what happens to these paths, from when it resolves on. Returns how to stop. Throws where one is not there. */
export async function watchTree(paths: readonly string[], recursive: boolean, tell: Tell): Promise<() => void> {
  const found = await Promise.all(paths.map(async (path) => ({ path, directory: (await lstat(path)).isDirectory() })))
  const tree = new Tree(recursive, tell)
  try {
    // All at once: nothing is told before whoever asked knows that it began.
    for (const { path, directory } of found) tree.add(path, directory)
  } catch (error) {
    tree.close()
    throw error
  }
  return () => tree.close()
}

/** One kernel watch for each directory: those that come are watched too. */
class Tree {
  readonly #recursive: boolean
  readonly #tell: Tell
  readonly #watchers = new Map<string, FSWatcher>()
  /** What is known to be there, and whether as a directory. */
  readonly #known = new Map<string, boolean>()

  constructor(recursive: boolean, tell: Tell) {
    this.#recursive = recursive
    this.#tell = tell
  }

  add(path: string, directory: boolean): void {
    if (this.#watchers.has(path)) return
    const watcher = watch(path, { persistent: false }, (kind, name) => this.#look(kind, directory ? join(path, name ?? '') : path))
    watcher.on('error', () => this.#drop(path))
    this.#watchers.set(path, watcher)
    this.#known.set(path, directory)
    if (directory) for (const entry of readdirSync(path, { withFileTypes: true })) this.#found(join(path, entry.name), entry.isDirectory(), false)
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #look(kind: 'rename' | 'change', path: string): void {
    const was = this.#known.get(path)
    let stat
    try {
      stat = lstatSync(path)
    } catch {
      if (was === undefined) return
      this.#drop(path)
      return this.#tell({ path, event: 'remove', directory: was })
    }
    const directory = stat.isDirectory()
    if (was === undefined) return this.#found(path, directory, true)
    // A file that took another's place is a new one.
    if (kind === 'rename') this.#tell({ path, event: 'rename', directory, ...sizeOf(stat) })
    else if (stat.ctimeMs - stat.mtimeMs > 0.001) this.#tell({ path, event: 'chmod', directory, ...sizeOf(stat) })
    else if (!directory) this.#tell({ path, event: 'write', directory, ...sizeOf(stat) })
  }

  /** New to us: what is in a new directory may be older than our watch of it. */
  #found(path: string, directory: boolean, tell: boolean): void {
    this.#known.set(path, directory)
    try {
      if (tell) this.#tell({ path, event: 'create', directory, ...(directory ? {} : sizeOf(lstatSync(path))) })
      if (!directory || !this.#recursive) return
      if (!tell) return this.add(path, true)
      this.add(path, true)
      for (const name of readdirSync(path)) this.#tell({ path: join(path, name), event: 'create', directory: this.#known.get(join(path, name)) ?? false })
    } catch {
      // It is gone again already.
      this.#drop(path)
    }
  }

  #drop(path: string): void {
    for (const each of [...this.#known.keys()].filter((one) => one === path || one.startsWith(`${path}/`))) {
      this.#known.delete(each)
      this.#watchers.get(each)?.close()
      this.#watchers.delete(each)
    }
  }
}

function sizeOf(stat: { readonly size: number; isFile(): boolean }): { readonly size?: number } {
  return stat.isFile() ? { size: stat.size } : {}
}
