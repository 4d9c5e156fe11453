import type { NetworkPolicy } from '../../contract/index.ts'
import { checkPolicy } from './rules.ts'
import { tableOf } from './verdict.ts'

/** A policy as `amux-net` reads it: what it was, and what it comes to. */
export function policyText(policy: NetworkPolicy): string {
  const checked = checkPolicy(policy)
  const lines = [...tableOf(checked)].map(([domain, { action }]) => `${action} ${domain}`)
  return ['amux-policy 1', `document ${JSON.stringify(checked)}`, ...lines, ''].join('\n')
}
