import type { RestoreOptions } from '../../contract/index.ts'
import { type PreparedTool, Tool } from '../aside/index.ts'
import type { Maker } from './create.ts'
import { explain } from './explain.ts'
import { metaText } from './info.ts'
import type { Part } from './parts.ts'
import { ENGINE, STORE } from './store.ts'

export interface Restorer extends Maker {
  note(message: string): void
  /** Tells the guest why its sessions are about to end. */
  announce(): Promise<void>
}

export interface Wanted {
  readonly id: string
  /** Of one that came from elsewhere: the trees it is restored to. */
  readonly parts: readonly Part[] | undefined
}

export function safetyText({ id, parts }: Wanted): string {
  return metaText('safety', `before the restore of ${id}`, parts)
}

/** The program that puts a disk back: begun from what was prepared for it, once; else anew. */
export class Ready {
  readonly restorer: Restorer
  readonly wanted: Wanted
  readonly #argv: readonly [string, ...string[]]
  #prepared: Promise<PreparedTool | undefined> | undefined

  constructor(restorer: Restorer, wanted: Wanted, { keepWorkspace }: RestoreOptions) {
    this.restorer = restorer
    this.wanted = wanted
    this.#argv = [ENGINE, 'restore', STORE, wanted.id, safetyText(wanted), ...(keepWorkspace === true ? ['--skip-shared'] : [])]
  }

  /** Takes its time while the computer goes on. */
  static prepare(restorer: Restorer, wanted: Wanted, options: RestoreOptions): Ready {
    const ready = new Ready(restorer, wanted, options)
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
