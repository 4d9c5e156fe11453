import type { AmuxError } from '../contract/index.ts'
import { fail, isAmuxError, normalise } from '../errors/index.ts'
import { clean, nearest } from '../util/text.ts'

export interface UsageContext {
  /** The command as the user types it: `amux computer exec`. */
  readonly command: string
  /** Names of its flags, for suggestions. */
  readonly flags: readonly string[]
}

/** Makes an error of oclif's one of ours; everything else passes `normalise`. */
export function translate(error: unknown, context: UsageContext): AmuxError {
  if (isAmuxError(error)) return error.code === 'invalid_argument' ? hinted(error, context) : error
  if (!(error instanceof Error) || !('oclif' in error)) return normalise(error)
  return 'parse' in error ? misused(error, context) : fail('failed', plain(error.message), { cause: error })
}

/** The same for what is thrown while the arguments are read: whatever oclif says then, the user typed it wrong. */
export function misused(error: unknown, context: UsageContext): AmuxError {
  if (!(error instanceof Error) || !('oclif' in error)) return translate(error, context)
  const { message, hint } = explain(error, context)
  return fail('invalid_argument', message, { hint: hint ?? `See: ${context.command} --help`, cause: error })
}

function explain(error: Error, context: UsageContext): { message: string; hint?: string } {
  const unknown = list(error, 'flags')
  if (error.constructor.name === 'NonExistentFlagsError' && unknown) return unknownFlag(unknown, context)
  const names = list(error, 'args')
  if (error.constructor.name === 'RequiredArgsError' && names) return { message: `missing ${plural('argument', names)}: ${names.join(', ').toUpperCase()}` }
  if (error.constructor.name === 'UnexpectedArgsError' && names) return { message: `unexpected ${plural('argument', names)}: ${names.join(' ')}` }
  return { message: plain(error.message) }
}

function unknownFlag(unknown: readonly string[], context: UsageContext): { message: string; hint?: string } {
  const message = `unknown ${plural('flag', unknown)}: ${unknown.join(' ')}`
  const meant = nearest((unknown[0] ?? '').replace(/^-+/, ''), context.flags)
  return meant === undefined ? { message } : { message, hint: `Did you mean --${meant}? See: ${context.command} --help` }
}

/** The names an oclif error carries: strings, or argument specifications. */
function list(error: Error, key: string): readonly string[] | undefined {
  const value = Object.entries(error).find(([name]) => name === key)?.[1] as unknown
  if (!Array.isArray(value)) return undefined
  return value.map((item: unknown) => (item instanceof Object && 'name' in item ? String(item.name) : String(item)))
}

function plain(message: string): string {
  return clean(message)
    .replace(/\n?See more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/\n\s*/g, '; ')
    .trim()
}

function plural(word: string, names: readonly string[]): string {
  return names.length === 1 ? word : `${word}s`
}

function hinted(error: AmuxError, context: UsageContext): AmuxError {
  return error.hint === undefined ? Object.assign(error, { hint: `See: ${context.command} --help` }) : error
}
