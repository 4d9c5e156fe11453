import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceSpec } from '../../contract/index.ts'
import { type GuestConfig, Place, type ServiceReport } from '../../protocol/index.ts'
import { type EngineDeps, SessionEngine } from '../sessions/index.ts'
import { GuestError } from '../wire.ts'
import { Definitions, checkName, checkSpec } from './definition.ts'
import { Service } from './service.ts'

/**
 * The programs that are kept running. They are no sessions to their users, and do not count as work: what they do, counts
 * as that of any process.
 */
export class ServiceManager {
  readonly engine: SessionEngine
  readonly #definitions: Definitions
  readonly #services = new Map<string, Service>()
  readonly #broken = new Map<string, string>()

  constructor(config: GuestConfig, deps: EngineDeps) {
    const store = join(config.store, Place.services)
    mkdirSync(store, { recursive: true, mode: 0o700 })
    this.engine = new SessionEngine({ ...config, store }, deps)
    this.#definitions = new Definitions(join(store, 'definitions'))
  }

  /** Takes over those that live, starts the others that are to run: what is needed first. */
  async begin(): Promise<void> {
    await this.engine.recover()
    for (const found of this.#definitions.read()) {
      if ('problem' in found) this.#broken.set(found.name, found.problem)
      else this.#services.set(found.name, new Service(found, this.engine, this.#definitions))
    }
    const waiting = [...this.#services.values()].filter((service) => !service.adopt() && !service.stopped)
    void Promise.all(waiting.map((service) => this.#startWithNeeds(service))).catch(() => undefined)
  }

  list(): ServiceReport[] {
    const broken = [...this.#broken].map(([name, problem]): ServiceReport => ({ name, argv: [], state: 'failed', restarts: 0, problem, runs: [] }))
    return [...[...this.#services.values()].map((service) => service.report()), ...broken].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(name: string): Service {
    const service = this.#services.get(name)
    if (service) return service
    const problem = this.#broken.get(name)
    if (problem !== undefined) throw new GuestError('corrupt', problem, { hint: `Make it anew: amux computer service create ${name} -- PROGRAM` })
    throw new GuestError('not_found', `there is no service ${JSON.stringify(name)}`, { hint: 'amux computer service ls' })
  }

  async set(name: string, document: Readonly<Record<string, unknown>>, start: boolean): Promise<ServiceReport> {
    const spec = checkSpec(document)
    this.#check(checkName(name), spec)
    const there = this.#services.get(name)
    const service = there ?? this.#make(name, spec)
    const changed = there?.change(spec) ?? false
    if (start && changed) await this.#startNeeds(service).then(() => service.restart())
    else if (start) await this.#startWithNeeds(service)
    return service.report()
  }

  async start(name: string): Promise<ServiceReport> {
    const service = this.get(name)
    await this.#startWithNeeds(service)
    return service.report()
  }

  async restart(name: string): Promise<ServiceReport> {
    const service = this.get(name)
    await this.#startNeeds(service)
    await service.restart()
    return service.report()
  }

  async remove(name: string): Promise<void> {
    if (this.#broken.delete(name)) return this.#definitions.remove(name)
    const service = this.get(name)
    const needed = [...this.#services.values()].find(({ spec }) => spec.needs?.includes(name))
    if (needed) throw new GuestError('conflict', `service ${needed.name} needs ${name}`, { hint: `Remove that first: amux computer service rm ${needed.name}` })
    this.#services.delete(name)
    await service.remove()
  }

  /** Another guest takes over: they live on. */
  release(): void {
    for (const service of this.#services.values()) service.release()
  }

  async stop(): Promise<void> {
    this.release()
    await this.engine.stop()
  }

  #make(name: string, spec: ServiceSpec): Service {
    const definition = { name, spec, stopped: true, restarts: 0, runs: [] }
    this.#definitions.write(definition)
    this.#broken.delete(name)
    const service = new Service(definition, this.engine, this.#definitions)
    this.#services.set(name, service)
    return service
  }

  #check(name: string, spec: ServiceSpec): void {
    const { needs = [], httpPort } = spec
    const unknown = needs.find((need) => need !== name && !this.#services.has(need))
    if (unknown !== undefined) throw new GuestError('invalid_argument', `there is no service ${unknown} that ${name} could need`)
    if (this.#reaches(needs, name, new Set())) throw new GuestError('invalid_argument', `service ${name} would need itself`)
    const other = [...this.#services.values()].find((service) => httpPort !== undefined && service.name !== name && service.spec.httpPort !== undefined)
    if (other) throw new GuestError('conflict', `service ${other.name} has an HTTP port already: a computer has one`)
  }

  #reaches(needs: readonly string[], name: string, seen: Set<string>): boolean {
    return needs.some((need) => need === name || (!seen.has(need) && this.#reaches(this.#services.get(need)?.spec.needs ?? [], name, seen.add(need))))
  }

  async #startWithNeeds(service: Service): Promise<void> {
    await this.#startNeeds(service)
    await service.start()
  }

  async #startNeeds({ spec }: Service): Promise<void> {
    for (const need of spec.needs ?? []) {
      const service = this.#services.get(need)
      if (service) await this.#startWithNeeds(service)
    }
  }
}
