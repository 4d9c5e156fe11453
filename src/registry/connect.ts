import { mkdir } from 'node:fs/promises'
import type { CapabilityId, Computer, ComputerInfo, ConnectContext, CreateOptions, GuestKit, Health, Provider, ProviderDescriptor, Templates } from '../contract/index.ts'
import type { Endpoint, Equipped } from '../emulation/index.ts'
import { guestKit } from '../emulation/kit/index.ts'
import { policyText } from '../emulation/network/text.ts'
import { type ProviderSettings, type Settings, forgetUnfinished, providerDirectory, unfinishedFork } from '../config/index.ts'
import { fail } from '../errors/index.ts'
import { checkComputer, checkHealth, checkInfo, checkProvider } from './checks.ts'
import { guard } from './guard.ts'
import { legacyVariables } from './known.ts'
import { remember } from './remember.ts'
import { unfinished, unfinishedInfo } from './unfinished.ts'

/** A provider whose failures are ours and whose computers lack nothing. */
export interface ConnectedProvider {
  readonly id: string
  readonly descriptor: ProviderDescriptor
  create(options: CreateOptions): Promise<Equipped>
  get(name: string): Promise<Equipped>
  list(): AsyncIterable<ComputerInfo>
  health(): Promise<Health>
  /** `unsupported` where it has none. */
  templates(): Templates
  /** Frees what its computers hold. */
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly settings: Settings
  readonly signal: AbortSignal
  progress(message: string): void
  note(message: string): void
  debug(message: string): void
  /** A session's connection broke, or is back. */
  onConnection(state: 'lost' | 'back'): void
  /** amux's own package. */
  readonly root: string
  readonly version: string
}

/** Calls that are quick, or the provider does not answer at all. */
const QUICK = 60_000
const limits = { connect: QUICK, get: QUICK, info: QUICK, 'list.next': QUICK, health: 20_000 }

/** `given`: instead of what the user set, key by key. */
export async function connect(descriptor: ProviderDescriptor, options: ConnectOptions, given: Readonly<Record<string, string>> = {}): Promise<ConnectedProvider> {
  const { id } = descriptor
  const kit = guestKit(options.root)
  const settings = settingsFor(descriptor, options, given)
  const details = { provider: id, source: 'provider' } as const
  const guarded = guard(descriptor, { details, signal: options.signal, limits })
  const raw: unknown = await guarded.connect(await context(settings, { id, kit, ...options }))
  return new Connected(descriptor, guard(checkProvider(raw, id), { details, signal: options.signal, limits }), { ...options, kit })
}

/** Values by key; required ones are there. `credential_missing`. */
export function settingsFor(descriptor: ProviderDescriptor, { settings, note }: Pick<ConnectOptions, 'settings' | 'note'>, given: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const found = settings.forProvider(descriptor.id, descriptor.settings ?? [], legacyVariables)
  for (const text of found.notes) note(text)
  const missing = found.missing.filter(({ key }) => !Object.hasOwn(given, key))
  if (missing.length > 0) throw credentialMissing(descriptor, { missing })
  return { ...found.values, ...given }
}

interface Equipment extends ConnectOptions {
  readonly kit: GuestKit
}

async function context(settings: Readonly<Record<string, string>>, { id, progress, debug, kit }: Equipment & { readonly id: string }): Promise<ConnectContext> {
  const dataDir = providerDirectory(id)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  return { settings, dataDir, progress, debug, guest: kit, policyText }
}

function credentialMissing({ id, title }: ProviderDescriptor, { missing }: Pick<ProviderSettings, 'missing'>): Error {
  const names = missing.map(({ key }) => key).join(', ')
  const variables = missing.map(({ env }) => env?.[0]).filter((name) => name !== undefined)
  const byVariable = variables.length === 0 ? '' : `Set ${variables.join(' and ')}, or run: `
  return fail('credential_missing', `${title} needs a setting: ${names}`, {
    hint: `${byVariable}amux provider login ${id}`,
    provider: id,
  })
}

class Connected implements ConnectedProvider {
  readonly descriptor: ProviderDescriptor
  readonly #provider: Provider
  readonly #options: Equipment
  readonly #computers = new Set<Equipped>()
  readonly #notes = new Set<Promise<void>>()

  constructor(descriptor: ProviderDescriptor, provider: Provider, options: Equipment) {
    this.descriptor = descriptor
    this.#provider = provider
    this.#options = options
  }

  get id(): string {
    return this.descriptor.id
  }

  async create(options: CreateOptions): Promise<Equipped> {
    this.#refuseUnknown(options)
    const computer = await this.#provider.create({ signal: this.#options.signal, ...options })
    // The name was free: what is noted of it is over.
    await forgetUnfinished(this.id, options.name)
    const equipped = await this.#equip(checkComputer(computer, options.name))
    // The first command on it comes next.
    this.#later(equipped.meet())
    return equipped
  }

  async get(name: string): Promise<Equipped> {
    return this.#equip(checkComputer(await this.#provider.get(name, { signal: this.#options.signal }), name))
  }

  async *list(): AsyncIterable<ComputerInfo> {
    for await (const info of this.#provider.list({ signal: this.#options.signal })) yield await this.#seen(this.#own(() => checkInfo(info)))
  }

  async health(): Promise<Health> {
    const health = await this.#provider.health({ signal: this.#options.signal })
    return this.#own(() => checkHealth(health))
  }

  templates(): Templates {
    const { templates } = this.#provider
    if (templates) return templates
    throw fail('unsupported', `provider ${this.id} has no templates`, { provider: this.id })
  }

  async close(): Promise<void> {
    // The one may lead to another.
    while (this.#notes.size > 0) await Promise.all(this.#notes)
    await Promise.allSettled([...this.#computers].map((computer) => computer.close()))
    this.#computers.clear()
  }

  /** What speaks with a guest is loaded here: a provider that is only asked what there is does without. */
  async #equip(raw: Computer): Promise<Equipped> {
    const { equip } = await import('../emulation/index.ts')
    const { signal, kit, version, progress, note, debug, onConnection } = this.#options
    const half = await unfinishedFork(this.id, raw.name)
    const sound = guard(half ? unfinished(this.id, raw, half) : raw, { details: { provider: this.id, computer: raw.name, source: 'provider' }, signal, limits })
    const computer: Equipped = equip(sound, {
      descriptor: this.descriptor,
      kit,
      version,
      progress,
      note,
      debug,
      onConnection,
      onEndpoint: (endpoint) => this.#note(endpoint),
      // A server meets thousands.
      onClosed: () => void this.#computers.delete(computer),
    })
    this.#computers.add(computer)
    return computer
  }

  async #seen(info: ComputerInfo): Promise<ComputerInfo> {
    const half = await unfinishedFork(this.id, info.name)
    return half ? unfinishedInfo(info, half) : info
  }

  /** For the hot way in, next time. */
  #note(endpoint: Endpoint): void {
    const settings = (this.descriptor.settings ?? []).filter(({ secret }) => secret !== true)
    this.#later(remember(endpoint, settings.flatMap(({ env = [] }) => env)))
  }

  /** What never fails, and has to be over before it ends. */
  #later(work: Promise<void>): void {
    const note = work.finally(() => this.#notes.delete(note))
    this.#notes.add(note)
  }

  /** A template or an own option that this provider does not know is refused by name, before anything is made. */
  #refuseUnknown({ options = {}, network, publish }: CreateOptions): void {
    if (network !== undefined) this.#need('network', "cannot choose a computer's network")
    if (publish !== undefined) this.#need('publish', 'publishes no ports (-p)')
    const declared = new Set(this.descriptor.createOptions?.map(({ name }) => name))
    const unknown = Object.keys(options).find((name) => !declared.has(name))
    if (unknown === undefined) return
    throw fail('unsupported', `provider ${this.id} has no option "${unknown}"`, { hint: `See: amux provider info ${this.id}`, provider: this.id })
  }

  #need(id: CapabilityId, lacks: string): void {
    const { fidelity = 'unavailable', note, workaround } = this.descriptor.capabilities[id] ?? {}
    if (fidelity !== 'unavailable') return
    throw fail('unsupported', `provider ${this.id} ${lacks}${note === undefined ? '' : `: ${note}`}`, { hint: workaround, provider: this.id })
  }

  #own<T>(check: () => T): T {
    try {
      return check()
    } catch (error) {
      throw Object.assign(error as Error, { provider: this.id })
    }
  }
}
