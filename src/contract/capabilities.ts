/** The parts of the contract whose quality depends on the provider. */
export type CapabilityId =
  | 'disk'
  | 'exec'
  | 'tty'
  | 'sessions'
  | 'files'
  | 'archive'
  | 'tunnel'
  | 'ports'
  | 'idle'
  | 'idle-stop'
  | 'checkpoints'
  | 'export'
  | 'fork'
  | 'network'
  | 'services'
  | 'url'
  | 'publish'
  | 'desktop'
  | 'isolation'
  | 'users'

/** What the user gets: the provider's own, the core's equal of it, or nothing. */
export type Fidelity = 'native' | 'emulated' | 'unavailable'

export interface Capability {
  readonly fidelity: Fidelity
  /** One line: what the difference costs, or why there is none. Required unless native. */
  readonly note?: string
  /** What to do instead, preferably a command. */
  readonly workaround?: string
}

/** A provider's ceiling: what it has natively, and for the rest why not. Missing entries: the core decides. */
export type DeclaredCapabilities = { readonly [id in CapabilityId]?: Capability }

/** One computer's truth: every capability is there. */
export type Capabilities = { readonly [id in CapabilityId]: Capability }
