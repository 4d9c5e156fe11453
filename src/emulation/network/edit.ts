import type { NetworkPolicy, NetworkRule } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { nearest } from '../../util/text.ts'
import { normaliseDomain } from './domain.ts'
import { formatRule } from './document.ts'
import { checkPolicy } from './rules.ts'

/** The word for the list, where a domain is expected. */
const LIST = 'defaults'

/** The policy with these domains allowed, or denied: whatever was said of them before. `defaults` means the list. */
export function put(policy: NetworkPolicy, action: 'allow' | 'deny', texts: readonly string[]): NetworkPolicy {
  if (action === 'deny' && texts.includes(LIST)) throw fail('invalid_argument', 'the list of defaults can be left out, not denied', { hint: `amux computer network rm ${LIST}` })
  const wanted = unique(texts.map((text): NetworkRule => (text === LIST ? { include: LIST } : { domain: normaliseDomain(text), action })))
  const fresh = wanted.filter((rule) => !policy.rules.some((old) => formatRule(old) === formatRule(rule)))
  const subjects = new Set(fresh.map(subject))
  // Who denies something on an open computer does not mean to deny the rest with it.
  const open = action === 'deny' && policy.rules.length === 0 && !subjects.has('*')
  const before: readonly NetworkRule[] = open ? [{ domain: '*', action: 'allow' }] : policy.rules
  return checkPolicy({ rules: [...before.filter((rule) => !subjects.has(subject(rule))), ...fresh] })
}

/** The policy without the rules about these domains. `not_found` names what is not there. */
export function drop(policy: NetworkPolicy, texts: readonly string[]): NetworkPolicy {
  const subjects = new Set(texts.map((text) => (text === LIST ? `include ${LIST}` : normaliseDomain(text))))
  const there = new Set(policy.rules.map(subject))
  const missing = [...subjects].find((one) => !there.has(one))
  if (missing !== undefined) throw fail('not_found', `there is no rule about ${missing}`, { hint: similar(missing, there) })
  return { rules: policy.rules.filter((rule) => !subjects.has(subject(rule))) }
}

/** Which rules came and went. */
export function difference(before: NetworkPolicy, after: NetworkPolicy): { readonly added: readonly NetworkRule[]; readonly removed: readonly NetworkRule[] } {
  const texts = ({ rules }: NetworkPolicy) => new Set(rules.map(formatRule))
  const [old, current] = [texts(before), texts(after)]
  return { added: after.rules.filter((rule) => !old.has(formatRule(rule))), removed: before.rules.filter((rule) => !current.has(formatRule(rule))) }
}

function subject(rule: NetworkRule): string {
  return 'include' in rule ? formatRule(rule) : rule.domain
}

function unique(rules: readonly NetworkRule[]): readonly NetworkRule[] {
  return [...new Map(rules.map((rule) => [formatRule(rule), rule])).values()]
}

function similar(missing: string, there: ReadonlySet<string>): string {
  const meant = nearest(missing, there)
  return meant === undefined ? 'See which there are: amux computer network show' : `Did you mean ${meant}?`
}
