import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { fail } from '../errors/index.ts'

export interface EnvironmentFlags {
  /** `-e`: `K=V`, or `K` to copy it from this machine. */
  readonly env?: readonly string[] | undefined
  /** `--env-file`. What `-e` says wins. */
  readonly 'env-file'?: readonly string[] | undefined
}

type Host = Readonly<Record<string, string | undefined>>

/** The variables a user gives a program. Nothing else of this machine's environment goes along. */
export function environment(flags: EnvironmentFlags, host: Host = process.env): Record<string, string> {
  const files = (flags['env-file'] ?? []).map(readFile)
  const given = (flags.env ?? []).map((text) => variable(text, host))
  return Object.assign({}, ...files, Object.fromEntries(given)) as Record<string, string>
}

function variable(text: string, host: Host): readonly [string, string] {
  const cut = text.indexOf('=')
  const name = cut < 0 ? text : text.slice(0, cut)
  if (name === '' || name.includes('\0')) throw fail('invalid_argument', `-e ${JSON.stringify(text)} names no variable`, { hint: 'Write -e NAME=VALUE, or -e NAME.' })
  const value = cut < 0 ? host[name] : text.slice(cut + 1)
  if (value === undefined) throw fail('invalid_argument', `-e ${name}: it is not set on this machine`, { hint: `Set it, or write -e ${name}=VALUE.` })
  return [name, value]
}

function readFile(path: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'not readable'
    throw fail('invalid_argument', `--env-file ${path} cannot be read (${why})`, { cause: error })
  }
}
