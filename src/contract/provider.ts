import type { DeclaredCapabilities } from './capabilities.ts'
import type { ErrorCode } from './errors.ts'
import type { Computer, ComputerInfo, ProjectPlace } from './computer.ts'
import type { NetworkOptions, NetworkPolicy } from './network.ts'
import type { PublishedPort } from './ports.ts'
import type { Templates } from './templates.ts'

/** A value the provider needs from the user: `amux provider login` and the environment give it. */
export interface SettingSpec {
  readonly key: string
  readonly summary: string
  /** Environment variables that give it, first one wins. */
  readonly env?: readonly string[]
  /** Kept with the credentials, never shown. Default false. */
  readonly secret?: boolean
  readonly required?: boolean
}

/** An own flag of `create`: refused for every provider that does not declare it. */
export interface CreateOptionSpec {
  /** Without dashes. */
  readonly name: string
  readonly type: 'string' | 'boolean' | 'number'
  readonly summary: string
}

export interface CreateOptions {
  /** Valid on every provider: `[a-z][a-z0-9-]{0,54}`. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** The project's directory on this machine, to be seen on the computer where the provider can. */
  readonly project?: ProjectPlace
  /** The computer's own environment. Never put into metadata. */
  readonly env?: Readonly<Record<string, string>>
  /** What it starts from; the provider's own vocabulary. */
  readonly template?: string
  /** `unsupported` for what the provider, or this machine, cannot do. */
  readonly network?: NetworkOptions
  /** Needs the capability `publish`. `conflict` when one is taken, then and at each start. */
  readonly publish?: readonly PublishedPort[]
  /** Values of the declared `createOptions`. */
  readonly options?: Readonly<Record<string, string | number | boolean>>
  readonly signal?: AbortSignal
}

export interface Health {
  readonly ok: boolean
  /** One line for people. */
  readonly message: string
  /** Which failure it is when it is not ok. Default: `unavailable`. */
  readonly code?: ErrorCode
  /** What to do when it is not ok. */
  readonly hint?: string
  /** What would be the fidelity of a computer made now. */
  readonly capabilities?: DeclaredCapabilities
  readonly details?: Readonly<Record<string, string>>
}

export interface Provider {
  /** Resolves when it runs. `already_exists` when the name is taken. Leaves nothing behind when it fails. */
  create(options: CreateOptions): Promise<Computer>
  /** Does not start it. `not_found` only when there is none: every other failure as itself. */
  get(name: string, options?: { readonly signal?: AbortSignal }): Promise<Computer>
  /** Every computer that amux made there, all pages. */
  list(options?: { readonly signal?: AbortSignal }): AsyncIterable<ComputerInfo>
  /** Cheap, changes nothing, never throws for an ordinary failure. */
  health(options?: { readonly signal?: AbortSignal }): Promise<Health>
  /** Where it is missing, there are none. */
  readonly templates?: Templates
}

/** Files that make the guest, on this machine. */
export interface GuestKit {
  /** Native supervisor for that architecture (static, no libc needed). */
  init(arch: string): Promise<string>
  /** Directory of the guest's JavaScript; entry `guest.js`. */
  readonly scripts: string
  /** A Node binary for that architecture that is safe to bind or copy; downloads and verifies when needed. */
  node(arch: string): Promise<string>
  /** Directory of npm's package, for a system that has Node without it. */
  readonly npm: string
  /** Directory of native programs for that architecture (static): `amux-disk` and `amux-net`. */
  tools(arch: string): Promise<string>
  /** Changes whenever any of the above but the tools does. */
  readonly version: string
  /** Changes whenever the tools do. */
  readonly toolsVersion: string
}

/** What a provider is handed. */
export interface ConnectContext {
  /** Values by key: required ones are there. */
  readonly settings: Readonly<Record<string, string>>
  /** A durable directory of this provider's own on this machine, 0700. */
  readonly dataDir: string
  /** Says what takes time, for people. */
  progress(message: string): void
  /** Shown with DEBUG. */
  debug(message: string): void
  /** For a provider that boots the guest itself. */
  readonly guest: GuestKit
  /** What `amux-net` reads, of a valid policy: for `network/policy` in the store of a new computer. `invalid_argument`. */
  policyText(policy: NetworkPolicy): string
}

/** What the hook `amux:provider` returns. Plain data and one function; importing it costs nothing. */
export interface ProviderDescriptor {
  readonly apiVersion: 1
  /** `[a-z][a-z0-9-]*`, unique. */
  readonly id: string
  readonly title: string
  readonly settings?: readonly SettingSpec[]
  readonly createOptions?: readonly CreateOptionSpec[]
  readonly capabilities: DeclaredCapabilities
  connect(context: ConnectContext): Promise<Provider>
}

/** The type of a plugin's hook: `const hook: ProviderHook = async () => descriptor`. */
export type ProviderHook = () => Promise<ProviderDescriptor | readonly ProviderDescriptor[]>
