import type { AmuxError, ErrorCode } from '../contract/index.ts'
import { codes } from '../errors/index.ts'
import { clean, cleanLine, json } from '../util/text.ts'

export interface FailureContext {
  readonly json: boolean
  /** stdout is the program's: everything of ours goes to stderr, and the status says that it is ours. */
  readonly passThrough: boolean
}

/** Statuses of ours among a program's. */
const OURS = 125
const passed: { readonly [code in ErrorCode]?: number } = {
  program_not_found: 127,
  program_not_executable: 126,
  timeout: 124,
  aborted: 130,
}

export function exitStatus(code: ErrorCode, passThrough: boolean): number {
  return passThrough ? (passed[code] ?? OURS) : codes[code].exit
}

/** Tells the user, or the script. Returns the exit status. */
export function report(error: AmuxError, context: FailureContext): number {
  const text = context.json ? json({ error: document(error) }, context.passThrough ? undefined : 2) : describe(error)
  if (context.json && !context.passThrough) process.stdout.write(`${text}\n`)
  else process.stderr.write(`${text}\n`)
  if (debugging()) process.stderr.write(`${trace(error)}\n`)
  return exitStatus(error.code, context.passThrough)
}

function document(error: AmuxError): Record<string, unknown> {
  return {
    code: error.code,
    message: clean(error.message),
    hint: error.hint,
    source: error.source ?? 'amux',
    provider: error.provider,
    computer: error.computer,
    retryAfter: error.retryAfter,
  }
}

/** `amux: what failed (where)`, then what to do next. */
export function describe(error: AmuxError): string {
  const hint = error.hint === undefined ? [] : clean(error.hint).split('\n').map((line) => `  ${line}`)
  return [`amux: ${cleanLine(error.message)}${where(error)}`, ...hint].join('\n')
}

/** Named only when the message does not name it itself. */
function where(error: AmuxError): string {
  const named = (name: string | undefined, word: string) => (name !== undefined && !error.message.includes(name) ? [`${word} ${name}`] : [])
  const places = [...named(error.computer, 'computer'), ...named(error.provider, 'provider')]
  return places.length === 0 ? '' : ` (${cleanLine(places.join(', '))})`
}

export function debugging(): boolean {
  return (process.env['DEBUG'] ?? '').split(',').some((name) => name === '*' || name === 'amux' || name.startsWith('amux:'))
}

function trace(error: unknown): string {
  if (!(error instanceof Error)) return clean(String(error))
  const stack = clean(error.stack ?? error.message)
  return error.cause === undefined ? stack : `${stack}\ncaused by ${trace(error.cause)}`
}
