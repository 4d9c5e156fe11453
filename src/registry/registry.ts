import type { ProviderDescriptor, SettingSpec } from '../contract/index.ts'
import { type Settings, paths } from '../config/index.ts'
import { fail } from '../errors/index.ts'
import { nearest } from '../util/text.ts'
import type { ConnectedProvider } from './connect.ts'
import { type Discovery, type FoundProvider, discover } from './discover.ts'
import { installedPlugins } from './installed.ts'
import { installCommand, noteOrigin } from './origin.ts'
import { knownProviders, legacyVariables, packageOf } from './known.ts'

export interface RegistryOptions {
  /** amux's own package. */
  readonly root: string
  readonly version: string
  readonly settings: Settings
  readonly signal: AbortSignal
  progress(message: string): void
  note(message: string): void
  debug(message: string): void
  onConnection(state: 'lost' | 'back'): void
}

export interface SettingState extends Required<SettingSpec> {
  /** The variable or file that gives it. */
  readonly origin: string | undefined
}

/** What every plugin registers, or why it cannot. `root` is amux's own package. */
export function discoverPlugins(root: string): Promise<Discovery> {
  return discover(installedPlugins(root, paths().data))
}

/** Providers, found when they are needed. */
export class Registry {
  readonly #options: RegistryOptions
  readonly #connected = new Map<string, Promise<ConnectedProvider>>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  /** Every provider, and every plugin that cannot give one. Takes as long as the slowest plugin may. */
  async discover(): Promise<Discovery> {
    return discoverPlugins(this.#options.root)
  }

  /** One provider. Other plugins, broken or slow, do not matter. */
  async find(id: string): Promise<FoundProvider> {
    const plugins = installedPlugins(this.#options.root, paths().data)
    const bundled = plugins.filter((plugin) => plugin.bundled)
    const own = await discover(bundled, { wanted: id })
    const match = ({ descriptor }: FoundProvider) => descriptor.id === id
    const found = own.providers.find(match)
    if (found) return found
    const all = await discover(plugins, { wanted: id })
    return all.providers.find(match) ?? missing(id, all)
  }

  /** What a provider asks for, and where it was found. No values: some are secret. */
  settingsOf({ id, settings = [] }: ProviderDescriptor): readonly SettingState[] {
    const { origins } = this.#options.settings.forProvider(id, settings, legacyVariables)
    return settings.map(({ key, summary, env = [], secret = false, required = false }) => ({ key, summary, env, secret, required, origin: origins[key] }))
  }

  /** What a provider is given: secrets too. `credential_missing`. */
  async valuesOf(id: string): Promise<Readonly<Record<string, string>>> {
    const [{ descriptor }, { settingsFor }] = await Promise.all([this.find(id), import('./connect.ts')])
    return settingsFor(descriptor, this.#options)
  }

  /** A connection with other settings than those that are kept: to try them out. Nobody else gets it. */
  async attempt(id: string, values: Readonly<Record<string, string>>): Promise<ConnectedProvider> {
    const [{ descriptor }, { connect }] = await Promise.all([this.find(id), import('./connect.ts')])
    return connect(descriptor, this.#options, values)
  }

  /** Connected once per process. */
  connect(id: string): Promise<ConnectedProvider> {
    const before = this.#connected.get(id)
    if (before) return before
    const connecting = this.#connect(id)
    this.#connected.set(id, connecting)
    connecting.catch(() => this.#connected.delete(id))
    return connecting
  }

  async close(): Promise<void> {
    const connected = await Promise.allSettled(this.#connected.values())
    await Promise.all(connected.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)))
  }

  async #connect(id: string): Promise<ConnectedProvider> {
    const [{ descriptor, plugin }, { connect }] = await Promise.all([this.find(id), import('./connect.ts')])
    noteOrigin(id, plugin)
    return connect(descriptor, this.#options)
  }
}

function missing(id: string, { providers, broken }: Discovery): never {
  const ids = providers.map(({ descriptor }) => descriptor.id)
  const name = packageOf(id)
  const command = installCommand(id)
  const culprit = broken.find(({ plugin, error }) => plugin.name === name || error.message.includes(`"${id}"`) || plugin.name.endsWith(`-${id}`))
  if (culprit) throw culprit.error
  if (command !== undefined) throw fail('provider_missing', `provider ${id} is not installed`, { hint: `Install it: ${command}`, provider: id })
  const meant = nearest(id, [...ids, ...knownProviders])
  const guess = meant === undefined ? '' : `Did you mean ${meant}? `
  throw fail('provider_missing', `there is no provider ${id}`, {
    hint: `${guess}Installed: ${ids.join(', ') || 'none'}. Install another: amux plugins install ${[...knownProviders].map(packageOf).join(' | ')}, or the package of ${id}`,
    provider: id,
  })
}
