import type { ComputerInfo, EquippedComputer } from '../../../../src/contract/index.ts'
import { codeOf } from './errors.ts'
import { Executions } from './executions.ts'
import type { MetaStore, SpriteMeta } from './meta.ts'
import { Tasks } from './tasks.ts'

/** One sprite: a local computer and what the server knows about it. */
export class Served {
  readonly computer: EquippedComputer
  readonly executions: Executions
  readonly tasks = new Tasks()
  readonly #store: MetaStore
  #meta: Promise<SpriteMeta> | undefined
  #waking: Promise<void> | undefined

  constructor(computer: EquippedComputer, store: MetaStore) {
    this.computer = computer
    this.#store = store
    this.executions = new Executions(this)
  }

  get name(): string {
    return this.computer.name
  }

  info(): Promise<ComputerInfo> {
    return this.computer.info()
  }

  async meta(info?: ComputerInfo): Promise<SpriteMeta> {
    this.#meta ??= this.#read(info)
    this.#meta.catch(() => (this.#meta = undefined))
    return this.#meta
  }

  async change(change: Partial<SpriteMeta>): Promise<SpriteMeta> {
    const next = { ...(await this.meta()), ...change, updatedAt: new Date().toISOString() }
    await this.#store.write(this.name, next)
    this.#meta = Promise.resolve(next)
    return next
  }

  /** Starts it when it does not run. However many ask, it is started once. */
  wake(): Promise<void> {
    this.#waking ??= this.#wake().finally(() => (this.#waking = undefined))
    return this.#waking
  }

  /** Does it on the running computer; one that does not run is started first. */
  async awake<T>(work: (computer: EquippedComputer) => Promise<T>): Promise<T> {
    try {
      return await work(this.computer)
    } catch (error) {
      if (codeOf(error) !== 'not_running') throw error
    }
    await this.wake()
    return work(this.computer)
  }

  async close(): Promise<void> {
    await this.executions.close()
    await this.computer.close()
  }

  async #wake(): Promise<void> {
    if ((await this.computer.info()).state !== 'running') await this.computer.start()
  }

  async #read(info: ComputerInfo | undefined): Promise<SpriteMeta> {
    return this.#store.read(info ?? (await this.info()))
  }
}
