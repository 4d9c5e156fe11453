import type { SettingSpec } from '../contract/index.ts'
import { type Table, configFiles, readTable } from './files.ts'
import { paths } from './paths.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** An old variable of one provider setting that follows no pattern. */
export type LegacyVariables = Readonly<Record<string, { readonly provider: string; readonly key: string }>>

export interface ProviderSettings {
  readonly values: Readonly<Record<string, string>>
  /** Where each value came from, for people: a variable, a file. */
  readonly origins: Readonly<Record<string, string>>
  readonly missing: readonly SettingSpec[]
  /** Old names that were read, one line each. */
  readonly notes: readonly string[]
}

/** What the user set. Files are read when first needed. */
export class Settings {
  readonly #env: Environment
  readonly #directory: string
  #settings: Table | undefined
  #credentials: Table | undefined

  constructor(env: Environment = process.env) {
    this.#env = env
    this.#directory = paths(env).config
  }

  /** `AMUX_PROVIDER`: below a flag, above the project's choice. */
  get provider(): string | undefined {
    return this.#env['AMUX_PROVIDER'] || undefined
  }

  /** The values a provider asks for. The environment wins over files. */
  forProvider(id: string, specs: readonly SettingSpec[], legacy: LegacyVariables = {}): ProviderSettings {
    const values: Record<string, string> = {}
    const origins: Record<string, string> = {}
    const notes: string[] = []
    for (const spec of specs) {
      const found = this.#fromEnvironment(id, spec, legacy) ?? this.#fromFile(id, spec)
      if (!found) continue
      values[spec.key] = found.value
      origins[spec.key] = found.origin
      if (found.note !== undefined) notes.push(found.note)
    }
    return { values, origins, notes, missing: specs.filter((spec) => spec.required && !Object.hasOwn(values, spec.key)) }
  }

  /** Throws when a file cannot be used. */
  check(): void {
    this.#plain()
    this.#secrets()
  }

  #fromEnvironment(id: string, spec: SettingSpec, legacy: LegacyVariables): Found | undefined {
    const named = (spec.env ?? []).find((name) => this.#env[name])
    const old = Object.entries(legacy).filter(([, { provider, key }]) => provider === id && key === spec.key).map(([name]) => name)
    const name = named ?? [legacyName(id, spec.key), ...old].find((candidate) => this.#env[candidate])
    if (name === undefined) return undefined
    const note = named === undefined && spec.env?.[0] !== undefined ? `${name} is an old name: use ${spec.env[0]}` : undefined
    return { value: this.#env[name] ?? '', origin: name, note }
  }

  #fromFile(id: string, spec: SettingSpec): Found | undefined {
    const table = spec.secret ? this.#secrets() : this.#plain()
    const providers = spec.secret ? table : table['providers']
    const value = entry(entry(providers, id), spec.key)
    if (typeof value !== 'string' || value === '') return undefined
    return { value, origin: `${spec.secret ? configFiles.credentials : configFiles.settings}.json`, note: undefined }
  }

  #plain(): Table {
    return (this.#settings ??= readTable(this.#directory, configFiles.settings, { secret: false }))
  }

  #secrets(): Table {
    return (this.#credentials ??= readTable(this.#directory, configFiles.credentials, { secret: true }))
  }
}

interface Found {
  readonly value: string
  readonly origin: string
  readonly note: string | undefined
}

/** `AMUX_CLOUD_API_KEY` for the key `apiKey` or `api-key` of a provider `cloud`. */
function legacyName(id: string, key: string): string {
  const words = key.replace(/([a-z\d])([A-Z])/g, '$1_$2').replaceAll('-', '_')
  return `AMUX_${id.replaceAll('-', '_')}_${words}`.toUpperCase()
}

function entry(table: unknown, key: string): unknown {
  return table instanceof Object && Object.hasOwn(table, key) ? (table as Table)[key] : undefined
}
