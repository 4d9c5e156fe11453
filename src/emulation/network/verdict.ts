import { isIP } from 'node:net'
import type { NetworkPolicy, NetworkRule } from '../../contract/index.ts'
import { defaults } from './defaults.ts'
import { normaliseName } from './domain.ts'

export interface Verdict {
  readonly action: 'allow' | 'deny'
  /** The name or address as it was judged. */
  readonly host: string
  /** The rule that decided. */
  readonly rule?: NetworkRule
  /** The domain of it that matched: of `include`, the one on its list. */
  readonly domain?: string
  /** One line for people. */
  readonly reason: string
}

/** What a domain is about, by its exact text. */
export type Table = ReadonlyMap<string, { readonly action: 'allow' | 'deny'; readonly rule: NetworkRule }>

/** What the rules come to: one action for each domain. A rule of one's own stands before a list that is included. */
export function tableOf({ rules }: NetworkPolicy): Table {
  const table = new Map<string, { readonly action: 'allow' | 'deny'; readonly rule: NetworkRule }>()
  for (const rule of rules) {
    if (!('include' in rule)) continue
    for (const { domains } of defaults) for (const domain of domains) table.set(domain, { action: 'allow', rule })
  }
  for (const rule of rules) if ('domain' in rule) table.set(rule.domain, { action: rule.action, rule })
  return table
}

/** What a policy does with a host: a name, or an address. */
export function judge(policy: NetworkPolicy, host: string, table = tableOf(policy)): Verdict {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) > 0) return judgeAddress(policy, address)
  const name = normaliseName(host)
  if (name === 'localhost') return { action: 'allow', host: name, reason: 'the computer itself' }
  if (policy.rules.length === 0) return { action: 'allow', host: name, reason: 'the policy is open' }
  for (const domain of candidates(name)) {
    const found = table.get(domain)
    if (found) return { ...found, host: name, domain, reason: 'include' in found.rule ? `${domain} is on the list of ${found.rule.include}` : `${found.action} ${domain}` }
  }
  return { action: 'deny', host: name, reason: 'no rule matches' }
}

/** From the most specific to `*`. */
function* candidates(name: string): Generator<string, void> {
  yield name
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) yield `*${name.slice(dot)}`
  yield '*'
}

function judgeAddress({ rules }: NetworkPolicy, address: string): Verdict {
  if (/^127\.|^::1$/.test(address)) return { action: 'allow', host: address, reason: 'the computer itself' }
  if (rules.length === 0) return { action: 'allow', host: address, reason: 'the policy is open' }
  return { action: 'deny', host: address, reason: 'an address is reached only while an allowed name leads to it' }
}
