import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fail, normalise } from '../errors/index.ts'

export type Table = Readonly<Record<string, unknown>>

/** What people may read of the user's configuration, and what they may not. Names without `.json`, as conf wants them. */
export const configFiles = { settings: 'config', credentials: 'credentials' } as const

/** Reads one of the user's files without loading what writes it. Missing: empty. Damaged: an error, and it stays. */
export function readTable(directory: string, name: string, options: { readonly secret: boolean }): Table {
  const file = join(directory, `${name}.json`)
  const text = read(file)
  if (text === undefined) return {}
  if (options.secret) refuseShared(file)
  const value = parse(file, text)
  if (value instanceof Object && !Array.isArray(value)) return value as Table
  throw corrupt(file, 'is not a JSON object')
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const ours = normalise(error)
    if (ours.code === 'not_found') return undefined
    throw fail(ours.code, `${file} cannot be read: ${ours.message}`, { cause: error })
  }
}

function refuseShared(file: string): void {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return
  throw fail('permission_denied', `${file} holds credentials and others may read it`, { hint: `Run: chmod 600 ${file}` })
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw corrupt(file, 'is not JSON', error)
  }
}

function corrupt(file: string, what: string, cause?: unknown): Error {
  return fail('corrupt', `${file} ${what}; it was left as it is`, { hint: 'Repair it, or move it away.', cause })
}
