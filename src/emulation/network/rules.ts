import type { NetworkPolicy, NetworkRule } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { normaliseDomain } from './domain.ts'

export const MOST_RULES = 10_000

/** A policy from anywhere, as the rest expects it: every domain normal, none twice. `invalid_argument` says what is wrong where. */
export function checkPolicy(value: unknown): NetworkPolicy {
  const rules: unknown = Array.isArray(value) ? value : onlyRules(value)
  if (!Array.isArray(rules)) throw fail('invalid_argument', 'the policy\'s "rules" are not a list', { hint: EXAMPLE })
  return { rules: checkRules(rules, (index) => `rule ${index + 1}`) }
}

/** `where` names the place of a rule for people. */
export function checkRules(rules: readonly unknown[], where: (index: number) => string): readonly NetworkRule[] {
  if (rules.length > MOST_RULES) throw fail('invalid_argument', `the policy has ${rules.length} rules; ${MOST_RULES} are the most`)
  const seen = new Map<string, { readonly index: number; readonly action: string }>()
  return rules.map((value, index) => {
    const rule = inside(where(index), () => checkRule(value))
    const [key, action] = 'include' in rule ? [`include ${rule.include}`, ''] : [rule.domain, rule.action]
    const before = seen.get(key)
    if (before === undefined) seen.set(key, { index, action })
    else if (before.action === action) throw fail('invalid_argument', `${where(index)}: ${key} is in ${where(before.index)} already`, { hint: 'Leave one out.' })
    else throw fail('invalid_argument', `${where(index)}: ${action} ${key} contradicts ${where(before.index)}, ${before.action} ${key}`, { hint: 'Leave one out.' })
    return rule
  })
}

const EXAMPLE = 'For example: {"rules":[{"domain":"example.com","action":"allow"},{"include":"defaults"}]}'

function onlyRules(value: unknown): unknown {
  if (!(value instanceof Object) || !('rules' in value)) throw fail('invalid_argument', 'the policy is not an object with "rules"', { hint: EXAMPLE })
  refuseOthers(value, ['rules'], 'the policy')
  return value.rules
}

function checkRule(value: unknown): NetworkRule {
  if (!(value instanceof Object) || Array.isArray(value)) throw fail('invalid_argument', 'is not an object', { hint: EXAMPLE })
  if ('include' in value) {
    refuseOthers(value, ['include'], 'an include')
    if (value.include !== 'defaults') throw fail('invalid_argument', `there is no list ${JSON.stringify(value.include)} to include`, { hint: 'There is one: defaults.' })
    return { include: 'defaults' }
  }
  refuseOthers(value, ['domain', 'action'], 'a rule')
  if (!('domain' in value) || typeof value.domain !== 'string') throw fail('invalid_argument', 'its "domain" is not a text', { hint: EXAMPLE })
  if (!('action' in value) || (value.action !== 'allow' && value.action !== 'deny')) throw fail('invalid_argument', 'its "action" is neither "allow" nor "deny"', { hint: EXAMPLE })
  return { domain: normaliseDomain(value.domain), action: value.action }
}

function refuseOthers(value: object, known: readonly string[], what: string): void {
  const other = Object.keys(value).find((key) => !known.includes(key))
  if (other !== undefined) throw fail('invalid_argument', `${what} has no ${JSON.stringify(other)}`, { hint: `It has: ${known.join(', ')}` })
}

/** What fails is said to be wrong there. */
export function inside<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code, message, hint } = normalise(error)
    throw fail(code, `${place}: ${message}`, { hint, cause: error })
  }
}
