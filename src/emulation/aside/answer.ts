import { constants } from 'node:os'
import { fail, normalise } from '../../errors/index.ts'
import type { AmuxError } from '../../contract/index.ts'

const names: ReadonlyMap<number, string> = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/** One line that a tool says: a word and its fields. */
export interface Answer {
  readonly word: string
  readonly fields: readonly string[]
}

/** What a tool said went wrong. */
export interface ToolFailure {
  /** `ENOSPC`, … */
  readonly errno: string
  readonly step: string
  readonly subject: string
  readonly text: string
}

export function parseAnswer(line: string): Answer {
  const [word = '', ...fields] = line.split('\t')
  return { word, fields: fields.map(unescapeField) }
}

/** For a request line; a path may hold anything. */
export function escapeField(text: string): string {
  return text.replace(/[%\t\n\r]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

export function parseToolFailure({ word, fields }: Answer): ToolFailure | undefined {
  const [errno, step, subject = '', text = ''] = fields
  if (word !== 'error' || errno === undefined || step === undefined) return undefined
  return { errno: names.get(Number(errno)) ?? errno, step, subject, text }
}

/** Default meaning of a failure; who knows more about a step says it better. */
export function toolError(failure: ToolFailure): AmuxError {
  const { errno, step, subject, text } = failure
  const { code } = normalise(Object.assign(new Error(text), { code: errno }))
  const what = [step, subject].filter((part) => part !== '').join(' ')
  return fail(code, `${what}: ${text}`, { cause: failure })
}

function unescapeField(text: string): string {
  // Byte by byte, so that only a whole run of them is text.
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
}
