import type { NetworkPolicy } from '../../contract/index.ts'
import { judge, tableOf } from './verdict.ts'

const MOST = 6
const DENIED = 'everything else is denied'

/** A policy in one line. */
export function describePolicy({ rules }: NetworkPolicy): string {
  if (rules.length === 0) return 'open: everything is allowed'
  const named = (action: 'allow' | 'deny') => rules.flatMap((rule) => ('domain' in rule && rule.action === action && rule.domain !== '*' ? [rule.domain] : []))
  const included = rules.flatMap((rule) => ('include' in rule ? [`the ${rule.include}`] : []))
  const [allowed, denied] = [included.concat(named('allow')), named('deny')]
  const others = rules.some((rule) => 'domain' in rule && rule.domain === '*' && rule.action === 'allow') ? 'every other domain is allowed' : DENIED
  // Denied one by one or all at once comes to the same.
  if (others === DENIED && allowed.length === 0) return 'everything is denied'
  const parts = [...(allowed.length > 0 ? [`allowed: ${few(allowed)}`] : []), ...(denied.length > 0 ? [`denied: ${few(denied)}`] : [])]
  return parts.length === 0 ? 'every domain is allowed' : `${parts.join('; ')}; ${others}`
}

/** Of these names, those that a policy denies. */
export function cutOff(policy: NetworkPolicy, names: readonly string[]): readonly string[] {
  const table = tableOf(policy)
  return names.filter((name) => judge(policy, name, table).action === 'deny')
}

function few(names: readonly string[]): string {
  return names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST - 1).join(', ')} and ${names.length - MOST + 1} more`
}
