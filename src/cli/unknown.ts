import type { Config } from '@oclif/core/config'
import type { AmuxError } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { nearest } from '../util/text.ts'
import type { Found } from './find.ts'

/** There is no such command: says what was probably meant, and never asks. */
export function unknownCommand({ config, broken, words }: Found, argv: readonly string[]): AmuxError {
  const { bin } = config
  const flag = words.length === 0 ? argv.find((word) => word.startsWith('-')) : undefined
  if (flag !== undefined) return fail('invalid_argument', `${bin} takes no flag ${flag} before the command`, { hint: `Write: ${bin} COMMAND ${flag}` })
  const topic = deepestTopic(config, words)
  const wrong = words[topic.length]
  const typed = wrong === undefined ? [...words] : [...words.slice(0, topic.length), wrong]
  const within = [bin, ...topic].join(' ')
  const meant = guess(config, words)
  const hint = meant === undefined ? `See: ${within} --help` : `Did you mean: ${bin} ${meant}`
  const suspects = broken.map((name) => `Plugin ${name} did not load, it may have had one: ${bin} doctor`)
  return fail('invalid_argument', `there is no command "${[bin, ...typed].join(' ')}"`, { hint: [hint, ...suspects].join('\n') })
}

/** The longest beginning that is a topic. */
export function deepestTopic(config: Config, words: readonly string[]): readonly string[] {
  const isTopic = (length: number) => config.findTopic(words.slice(0, length).join(':')) !== undefined
  const length = words.findIndex((_, index) => !isTopic(index + 1))
  return words.slice(0, length < 0 ? words.length : length)
}

/** Compared with names of as many words; a command's last word alone is worth a try too (`amux exec`). */
function guess(config: Config, words: readonly string[]): string | undefined {
  const visible = config.commands.filter((command) => !command.hidden).map(({ id }) => id.split(':'))
  const names = [...visible, ...config.topics.map(({ name }) => name.split(':'))]
  for (let length = Math.min(words.length, 3); length > 0; length--) {
    const same = names.filter((name) => name.length === length).map((name) => name.join(' '))
    const found = nearest(words.slice(0, length).join(' '), same)
    if (found !== undefined) return found
  }
  return visible.find((name) => name.at(-1) === words[0])?.join(' ')
}
