import type { AmuxError } from '../contract/index.ts'
import { fail, isAmuxError, normalise } from '../errors/index.ts'
import { clean, nearest } from '../util/text.ts'
import type { ComputerSelection } from './flags.ts'
import { pasteable } from './pasteable.ts'
import { reword } from './reword.ts'

export interface UsageContext {
  /** The command as the user types it: `amux computer exec`. */
  readonly command: string
  /** Names of its flags, for suggestions. */
  readonly flags: readonly string[]
  /** How one calls it. */
  readonly example?: string | undefined
  /** What was probably meant by too many arguments. */
  instead?(more: readonly string[]): string | undefined
  /** What was meant: commands in a hint need the same. */
  readonly selection?: ComputerSelection | undefined
}

/** Makes an error of oclif's one of ours; everything else passes `normalise`. */
export function translate(error: unknown, context: UsageContext): AmuxError {
  return pasteable(ours(error, context), context.selection)
}

function ours(error: unknown, context: UsageContext): AmuxError {
  if (isAmuxError(error)) return error.code === 'invalid_argument' ? hinted(error, context) : error
  if (!(error instanceof Error) || !('oclif' in error)) return normalise(error)
  return 'parse' in error ? misused(error, context) : fail('failed', reword(clean(error.message)), { cause: error })
}

/** The same for what is thrown while the arguments are read: whatever oclif says then, the user typed it wrong. */
export function misused(error: unknown, context: UsageContext): AmuxError {
  if (!(error instanceof Error) || !('oclif' in error || error.message.startsWith('Expected an integer'))) return translate(error, context)
  const { message, hint } = explain(error, context)
  return fail('invalid_argument', message, { hint: hint ?? `See: ${context.command} --help`, cause: error })
}

function explain(error: Error, context: UsageContext): { message: string; hint?: string } {
  const unknown = list(error, 'flags')
  if (error.constructor.name === 'NonExistentFlagsError' && unknown) return unknownFlag(unknown, context)
  const names = list(error, 'args')
  if (error.constructor.name === 'RequiredArgsError' && names) return { message: `missing ${plural('argument', names)}: ${names.join(', ').toUpperCase()}`, ...exemplary(context) }
  if (error.constructor.name === 'UnexpectedArgsError' && names) return unexpected(names, context)
  const message = reword(clean(error.message))
  return message.startsWith('missing flag') ? { message, ...exemplary(context) } : { message }
}

function unexpected(words: readonly string[], { command, flags, ...context }: UsageContext): { message: string; hint?: string } {
  const message = `unexpected ${plural('argument', words)}: ${words.join(' ')}`
  const instead = context.instead?.(words)
  if (instead !== undefined) return { message, hint: `Did you mean: ${instead}` }
  return words.length === 1 && flags.includes('name') ? { message, hint: `If that is to be its name: --name ${words[0]}. See: ${command} --help` } : { message }
}

function exemplary({ command, example }: UsageContext): { hint?: string } {
  return example === undefined ? {} : { hint: `For example: ${example}. See: ${command} --help` }
}

function unknownFlag(unknown: readonly string[], context: UsageContext): { message: string; hint?: string } {
  const message = `unknown ${plural('flag', unknown)}: ${unknown.join(' ')}`
  const meant = nearest((unknown[0] ?? '').replace(/^-+/, ''), context.flags)
  if (meant !== undefined) return { message, hint: `Did you mean --${meant}? See: ${context.command} --help` }
  if (!context.flags.includes('option')) return { message }
  return { message, hint: `An option of the provider is written -o ${(unknown[0] ?? '').replace(/^-+/, '')}=VALUE; which there are: amux provider info ID. See: ${context.command} --help` }
}

/** The names an oclif error carries: strings, or argument specifications. */
function list(error: Error, key: string): readonly string[] | undefined {
  const value = Object.entries(error).find(([name]) => name === key)?.[1] as unknown
  if (!Array.isArray(value)) return undefined
  return value.map((item: unknown) => (item instanceof Object && 'name' in item ? String(item.name) : String(item)))
}

function plural(word: string, names: readonly string[]): string {
  return names.length === 1 ? word : `${word}s`
}

function hinted(error: AmuxError, context: UsageContext): AmuxError {
  // oclif puts words of its own around what a flag's parser throws.
  const message = reword(error.message)
  if (message !== error.message) Object.assign(error, { message })
  return error.hint === undefined ? Object.assign(error, { hint: `See: ${context.command} --help` }) : error
}
