/**
 * A domain is `example.com` (itself alone), `*.example.com` (everything below it, not itself) or `*`. The most specific
 * one that matches wins, whatever their order. `include` stands for a list that amux keeps.
 */
export type NetworkRule = { readonly domain: string; readonly action: 'allow' | 'deny' } | { readonly include: 'defaults' }

/** With any rule, what none matches is denied. Without rules everything is allowed. */
export interface NetworkPolicy {
  readonly rules: readonly NetworkRule[]
}

/** Something that a policy did. */
export interface NetworkEvent {
  /** RFC 3339. */
  readonly time: string
  /** `policy`: it was changed. `lookup`: a name was refused. `connect`: packets to an address were. `cut`: a connection was. */
  readonly event: 'policy' | 'lookup' | 'connect' | 'cut'
  /** The name that was looked up. */
  readonly domain?: string
  /** `203.0.113.7`, `2001:db8::1`. */
  readonly address?: string
  readonly port?: number
  /** `tcp`, `udp`, `icmp`, …; for a lookup its type: `A`, `AAAA`, … */
  readonly protocol?: string
  /** One line for people: why, or what changed. */
  readonly reason?: string
}

/** What a computer may talk to, by domain. */
export interface Network {
  get(): Promise<NetworkPolicy>
  /** In force when it resolves. Connections to what is still allowed go on, all others are cut. It outlives stops. */
  set(policy: NetworkPolicy): Promise<void>
  /** Oldest first; the last few thousand are kept. `follow`: go on. */
  log(options?: { readonly follow?: boolean; readonly denied?: boolean; readonly signal?: AbortSignal }): AsyncIterable<NetworkEvent>
}

/** How a new computer meets the network. */
export interface NetworkOptions {
  /** `none`: nothing but its own loopback. Default: out to wherever the policy allows. */
  readonly access?: 'open' | 'none'
  /** In force from the first instruction on. */
  readonly policy?: NetworkPolicy
  /** TCP ports of this machine's loopback that programs on the computer find on their own. Nothing else of it is in reach. */
  readonly hostPorts?: readonly number[]
}
