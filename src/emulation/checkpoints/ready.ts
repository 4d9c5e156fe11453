import type { RestoreOptions } from '../../contract/index.ts'
import { type PreparedTool, Tool } from '../aside/index.ts'
import type { Maker } from './create.ts'
import { explain } from './explain.ts'
import { metaText } from './info.ts'
import { ENGINE, STORE } from './store.ts'

export interface Restorer extends Maker {
  note(message: string): void
  /** Tells the guest why its sessions are about to end. */
  announce(): Promise<void>
}

export function safetyText(id: string): string {
  return metaText('safety', `before the restore of ${id}`)
}

/** The program that puts a disk back: begun from what was prepared for it, once; else anew. */
export class Ready {
  readonly restorer: Restorer
  readonly #argv: readonly [string, ...string[]]
  #prepared: Promise<PreparedTool | undefined> | undefined

  constructor(restorer: Restorer, id: string, { keepWorkspace }: RestoreOptions) {
    this.restorer = restorer
    this.#argv = [ENGINE, 'restore', STORE, id, safetyText(id), ...(keepWorkspace === true ? ['--skip-shared'] : [])]
  }

  /** Takes its time while the computer goes on. */
  static prepare(restorer: Restorer, id: string, options: RestoreOptions): Ready {
    const ready = new Ready(restorer, id, options)
    const { computer, debug } = restorer
    ready.#prepared = Tool.prepare(computer, ready.#argv, LOCKED).catch((error: unknown) => {
      // Then it is begun as if nobody had tried.
      debug(`nothing is ready beside ${computer.name}: ${String(error)}`)
      return undefined
    })
    return ready
  }

  async begin(): Promise<Tool> {
    const prepared = await this.#taken()
    return prepared ? prepared.begin() : Tool.start(this.restorer.computer, this.#argv, LOCKED)
  }

  /** Where it was not begun. */
  async leave(): Promise<void> {
    await (await this.#taken())?.leave()
  }

  #taken(): Promise<PreparedTool | undefined> {
    const prepared = this.#prepared
    this.#prepared = undefined
    return prepared ?? Promise.resolve(undefined)
  }
}

const LOCKED = { disk: 'write', store: true, explain } as const
