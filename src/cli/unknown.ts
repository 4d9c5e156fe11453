import type { Config } from '@oclif/core/config'
import type { AmuxError } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { knownProviders, packageOf } from '../registry/known.ts'
import { nearestPhrase } from '../util/text.ts'
import type { Found } from './find.ts'

/** There is no such command: says what was probably meant, and never asks. */
export function unknownCommand({ config, broken, words }: Found, argv: readonly string[]): AmuxError {
  const { bin } = config
  const topic = deepestTopic(config, words)
  const flag = words.length === topic.length ? argv.find((word) => word.startsWith('-')) : undefined
  if (flag !== undefined) return misplaced(flag, [bin, ...topic].join(' '))
  const wrong = words[topic.length]
  const typed = wrong === undefined ? [...words] : [...words.slice(0, topic.length), wrong]
  const within = [bin, ...topic].join(' ')
  const plugin = topic.length === 0 && wrong !== undefined && knownProviders.includes(wrong) ? packageOf(wrong) : undefined
  if (plugin !== undefined) return fail('invalid_argument', `"${bin} ${wrong}" comes with a plugin that is not installed`, { hint: `Install it: ${bin} plugins install ${plugin}` })
  const meant = guess(config, words, topic.length)
  const hint = meant === undefined ? `See: ${within} --help` : `Did you mean: ${bin} ${meant}`
  const suspects = broken.map((name) => `Plugin ${name} did not load, it may have had one: ${bin} doctor`)
  return fail('invalid_argument', `there is no command "${[bin, ...typed].join(' ')}"`, { hint: [hint, ...suspects].join('\n') })
}

/** A flag of a command that is not named. */
function misplaced(flag: string, before: string): AmuxError {
  if (flag === '--') return fail('invalid_argument', `what is meant to follow "${before}"?`, { hint: `See: ${before} --help` })
  return fail('invalid_argument', `${before} takes no flag ${flag} before the command`, { hint: `Write: ${before} COMMAND ${flag}. See: ${before} --help` })
}

/** The longest beginning that is a topic. */
export function deepestTopic(config: Config, words: readonly string[]): readonly string[] {
  const isTopic = (length: number) => config.findTopic(words.slice(0, length).join(':')) !== undefined
  const length = words.findIndex((_, index) => !isTopic(index + 1))
  return words.slice(0, length < 0 ? words.length : length)
}

/** A command that ends with what was typed (`amux exec`); else every word must be near the one meant. */
function guess(config: Config, words: readonly string[], known: number): string | undefined {
  const visible = config.commands.filter((command) => !command.hidden).map(({ id }) => id.split(':'))
  const names = [...visible, ...config.topics.map(({ name }) => name.split(':'))]
  const wrong = words.slice(known)
  const longer = visible.find((name) => wrong.join(' ') === name.slice(-wrong.length).join(' '))
  if (longer) return longer.join(' ')
  for (let length = Math.min(words.length, 3); length > known; length--) {
    const found = nearestPhrase(words.slice(0, length), names.filter((name) => name.length === length))
    if (found) return found.join(' ')
  }
  return visible.find((name) => name.at(-1) === wrong[0])?.join(' ')
}
