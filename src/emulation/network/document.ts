import type { NetworkPolicy, NetworkRule } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { findPreset } from './presets.ts'
import { checkPolicy, checkRules, inside } from './rules.ts'

/** A policy as people keep it in a file: JSON, or one rule a line. `source` names it in errors. */
export function parsePolicy(text: string, source: string): NetworkPolicy {
  const content = text.replace(/^\uFEFF/, '')
  return inside(source, () => (/^\s*[[{]/.test(content) ? checkPolicy(parseJson(content)) : parseLines(content)))
}

/** The same policy, one rule a line: what `parsePolicy` reads. */
export function formatPolicy({ rules }: NetworkPolicy): string {
  return rules.length === 0 ? 'open' : rules.map(formatRule).join('\n')
}

export function formatRule(rule: NetworkRule): string {
  return 'include' in rule ? `include ${rule.include}` : `${rule.action} ${rule.domain}`
}

const FORM = 'One rule a line: allow example.com, deny *.example.com, include defaults. Or JSON: {"rules":[…]}'

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw fail('invalid_argument', `no JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function parseLines(text: string): NetworkPolicy {
  const lines = text.split(/\r?\n/).map((line, index) => ({ number: index + 1, words: words(line) })).filter(({ words }) => words.length > 0)
  // A program that failed prints nothing, and nothing must not open everything.
  if (lines.length === 0) throw fail('invalid_argument', 'there is no rule in it', { hint: 'To open everything, say so: amux computer network reset' })
  const alone = lines.length === 1 && lines[0]?.words.length === 1 ? findPreset(lines[0].words[0] ?? '') : undefined
  if (alone) return alone
  return { rules: checkRules(lines.map(({ number, words }) => parseRule(number, words)), (index) => `line ${lines[index]?.number}`) }
}

function words(line: string): readonly string[] {
  return line.replace(/#.*/, '').split(/\s+/).filter((word) => word !== '')
}

function parseRule(line: number, [verb, what, ...more]: readonly string[]): unknown {
  const wrong = (why: string) => fail('invalid_argument', `line ${line}: ${why}`, { hint: FORM })
  if (verb !== 'allow' && verb !== 'deny' && verb !== 'include') throw wrong(`${JSON.stringify(verb)} is none of allow, deny and include`)
  if (what === undefined) throw wrong(`${verb} what?`)
  if (more.length > 0) throw wrong('there is more than one domain')
  return verb === 'include' ? { include: what } : { domain: what, action: verb }
}
