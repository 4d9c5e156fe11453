import type { ComputerInfo, EquippedComputer } from '../../../../../src/contract/index.ts'
import { codeOf } from '../http/errors.ts'
import { Executions } from './executions.ts'
import { type Inner, manage } from './management.ts'
import type { MetaStore, SpriteMeta } from './meta.ts'
import { Tasks } from './tasks.ts'

/** One sprite: a local computer and what the server knows about it. */
export class Served {
  readonly computer: EquippedComputer
  readonly executions: Executions
  readonly tasks = new Tasks()
  /** Of the computer that it is about: another one may come under its name. */
  createdAt: string | undefined
  readonly #store: MetaStore
  readonly #inner: Inner
  readonly #closed = new AbortController()
  #managed = false
  #meta: Promise<SpriteMeta> | undefined
  #waking: Promise<void> | undefined

  constructor(computer: EquippedComputer, store: MetaStore, inner: Inner) {
    this.computer = computer
    this.#store = store
    this.#inner = inner
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
      const result = await work(this.computer)
      this.#manage()
      return result
    } catch (error) {
      if (codeOf(error) !== 'not_running') throw error
    }
    await this.wake()
    return work(this.computer)
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.executions.close()
    await this.computer.close()
  }

  async #wake(): Promise<void> {
    if ((await this.computer.info()).state !== 'running') await this.computer.start()
    this.#manage()
  }

  /** From its first use on, and again after it stopped. */
  #manage(): void {
    if (this.#managed) return
    this.#managed = true
    void manage(this, this.#inner, this.#closed.signal).then((again) => (this.#managed = !again))
  }

  async #read(info: ComputerInfo | undefined): Promise<SpriteMeta> {
    return this.#store.read(info ?? (await this.info()))
  }
}
