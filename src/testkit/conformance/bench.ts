import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Capabilities, CreateOptions, EquippedComputer, GuestKit, Provider, ProviderDescriptor } from '../../contract/index.ts'
import { equip, type Equipped } from '../../emulation/index.ts'
import { hasCode } from '../../errors/index.ts'
import { policyText } from '../../emulation/network/text.ts'
import { testKit } from '../kit.ts'

export interface BenchOptions {
  readonly descriptor: ProviderDescriptor
  /** Values of the descriptor's settings. */
  readonly settings?: Readonly<Record<string, string>>
  /** Default: a temporary one. */
  readonly dataDir?: string
  /** Default: amux's own guest. */
  readonly kit?: GuestKit
  /** Given to every `create`: what is cheap to start from. */
  readonly create?: Partial<Omit<CreateOptions, 'name' | 'labels' | 'signal'>>
}

const ends = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What the tests share: a provider, one computer for most of them, more where they need their own. */
export class Bench {
  readonly descriptor: ProviderDescriptor
  /** Known to be this run's own. */
  readonly labels: Readonly<Record<string, string>>
  readonly #options: BenchOptions
  readonly #run = randomBytes(3).toString('hex')
  readonly #computers = new Map<string, EquippedComputer>()
  #count = 0
  #temporary: string | undefined
  #provider: Promise<Provider> | undefined
  #shared: Promise<Equipped> | undefined
  #release: () => void = () => {}

  constructor(options: BenchOptions) {
    this.#options = options
    this.descriptor = options.descriptor
    this.labels = { 'amux-conformance': this.#run }
  }

  provider(): Promise<Provider> {
    return (this.#provider ??= this.#connect())
  }

  /** A running one that tests share: leave it as it was. */
  computer(): Promise<Equipped> {
    this.#shared ??= this.create()
    this.#shared.catch(() => (this.#shared = undefined))
    return this.#shared
  }

  capabilities(): Promise<Capabilities> {
    return this.computer().then((computer) => computer.capabilities())
  }

  /** One of the test's own. */
  async create(options: Partial<CreateOptions> = {}): Promise<Equipped> {
    const provider = await this.provider()
    const raw = await provider.create({ ...this.#options.create, name: this.name(), labels: this.labels, ...options })
    return this.equip(raw)
  }

  async get(name: string): Promise<Equipped> {
    return this.equip(await (await this.provider()).get(name))
  }

  /** A name nobody has. */
  name(): string {
    return `conf-${this.#run}-${++this.#count}`
  }

  async equip(raw: Awaited<ReturnType<Provider['get']>>): Promise<Equipped> {
    const computer = equip(raw, { descriptor: this.descriptor, kit: await this.kit() })
    this.#computers.set(`${raw.name}/${this.#computers.size}`, computer)
    return computer
  }

  kit(): Promise<GuestKit> {
    return this.#options.kit === undefined ? testKit() : Promise.resolve(this.#options.kit)
  }

  /** Names of this run's computers that still are. */
  async left(): Promise<readonly string[]> {
    const names: string[] = []
    for await (const { name, labels } of (await this.provider()).list()) {
      if (labels['amux-conformance'] === this.#run) names.push(name)
    }
    return names
  }

  /** What cannot be deleted keeps nothing else from being. */
  async cleanUp(): Promise<void> {
    this.#release()
    if (this.#provider === undefined) return
    const left = await this.left()
    const deleted = await Promise.allSettled(left.map((name) => this.#delete(name)))
    await Promise.allSettled([...this.#computers.values()].map((computer) => computer.close()))
    const failed = deleted.find((result) => result.status === 'rejected')
    // What is needed to end the rest by hand stays.
    if (failed !== undefined) throw failed.reason
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true })
  }

  async #delete(name: string): Promise<void> {
    try {
      await (await this.get(name)).delete()
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error
    }
  }

  /** Tests that are interrupted leave no computers either. */
  #guard(): () => void {
    const listeners = ends.map((signal) => [signal, () => void this.#endBy(signal)] as const)
    for (const [signal, listener] of listeners) process.on(signal, listener)
    return () => {
      for (const [signal, listener] of listeners) process.off(signal, listener)
    }
  }

  async #endBy(signal: NodeJS.Signals): Promise<void> {
    await this.cleanUp().catch((error: unknown) => console.error(error))
    process.kill(process.pid, signal)
  }

  async #connect(): Promise<Provider> {
    this.#release = this.#guard()
    const { settings = {}, descriptor } = this.#options
    this.#temporary = this.#options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'amux-')) : undefined
    const dataDir = this.#options.dataDir ?? this.#temporary ?? tmpdir()
    return descriptor.connect({ settings, dataDir, progress: () => {}, debug: () => {}, guest: await this.kit(), policyText })
  }
}
