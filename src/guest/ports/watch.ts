import type { ListeningPort, PortEvent } from '../../contract/index.ts'
import { type Listener, listeners } from './listening.ts'
import { type Owner, namedOwnersOf } from './owners.ts'

const EVERY = 500
/** A socket on its way from one process to another is nobody's for a moment. */
const LOOKS = 3

type Watcher = (event: PortEvent) => void

/**
 * Knows what the computer's own processes listen on: where it shares a network with others, theirs is not its business.
 * Looks again and again only while somebody watches.
 */
export class PortWatch {
  #known = new Map<string, ListeningPort>()
  readonly #owners = new Map<string, Owner>()
  /** How often a socket was looked for in vain. */
  readonly #strange = new Map<string, number>()
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #scan: Promise<void> = Promise.resolve()

  async list(): Promise<ListeningPort[]> {
    await this.#look()
    return this.#sorted()
  }

  #sorted(): ListeningPort[] {
    return [...this.#known.values()].toSorted(order)
  }

  /** First an `opened` for each that is there, then the changes. Returns how to stop. */
  async watch(watcher: Watcher): Promise<() => void> {
    await this.#look()
    // In one go with being added: no change can fall between.
    for (const port of this.#sorted()) watcher({ type: 'opened', ...port })
    this.#watchers.add(watcher)
    this.#again()
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  #again(): void {
    if (this.#watchers.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#look().catch(() => undefined).then(() => this.#again())
    }, EVERY)
  }

  /** One scan at a time: each compares with the one before. */
  #look(): Promise<void> {
    const next = this.#scan.catch(() => undefined).then(() => this.#compare())
    this.#scan = next
    return next
  }

  async #compare(): Promise<void> {
    const found = await listeners()
    await this.#learn(found)
    const now = new Map<string, ListeningPort>()
    for (const [key, { address, port, inode }] of found) {
      const owner = this.#owners.get(inode)
      if (owner) now.set(`${key} ${inode}`, { port, address, ...owner })
    }
    const before = this.#known
    this.#known = now
    // A server that was restarted on its port is both: the old one closed, the new one opened.
    for (const [key, port] of before) if (!now.has(key)) this.#tell({ type: 'closed', ...port })
    for (const port of [...now].filter(([key]) => !before.has(key)).map(([, port]) => port).toSorted(order)) this.#tell({ type: 'opened', ...port })
  }

  async #learn(found: ReadonlyMap<string, Listener>): Promise<void> {
    const sockets = [...found.values()]
    const inodes = new Set(sockets.map(({ inode }) => inode))
    for (const table of [this.#owners, this.#strange]) for (const inode of table.keys()) if (!inodes.has(inode)) table.delete(inode)
    const unknown = sockets.filter(({ inode }) => !this.#owners.has(inode) && (this.#strange.get(inode) ?? 0) < LOOKS)
    for (const { inode } of unknown) this.#strange.set(inode, (this.#strange.get(inode) ?? 0) + 1)
    for (const [inode, owner] of await namedOwnersOf(unknown)) this.#owners.set(inode, owner)
  }

  #tell(event: PortEvent): void {
    for (const watcher of this.#watchers) watcher(event)
  }
}

function order(a: ListeningPort, b: ListeningPort): number {
  return a.port - b.port || (a.address < b.address ? -1 : 1)
}
