import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../config/paths.ts'
import type { Endpoint } from '../emulation/endpoint.ts'
import { directoryOn } from '../project/directory.ts'
import { locateQuickly, type Wanted } from '../project/current.ts'

const VERSION = 2
const LARGEST = 16 * 1024

/** A computer whose guest was seen on this machine before, and most likely still is there. */
export interface Recalled {
  readonly endpoint: Endpoint
  /** Where on the computer the directory is that the user stands in. */
  readonly directory: string | undefined
  /** There is no such directory on it, though it is this project's computer. */
  readonly away: boolean
  /** A checkpoint is made before each run. */
  readonly auto: boolean
}

/** The way in without asking the provider. Undefined where anything is in doubt: then the ordinary way finds out. */
export function recall(wanted: Wanted, from?: string): Recalled | undefined {
  const { state } = paths()
  const located = locateQuickly(from, state, { ...wanted, provider: wanted.provider ?? unlessNamed(wanted) })
  if (located === undefined) return undefined
  const endpoint = read(endpointFile(state, located.provider, located.name))
  if (endpoint?.provider !== located.provider || endpoint.computer !== located.name) return undefined
  // The same name may be another computer's where one looks now.
  if (Object.entries(endpoint.where).some(([variable, value]) => (process.env[variable] ?? '') !== value)) return undefined
  const directory = directoryOn(located, located.project)
  return { endpoint, directory, away: directory === undefined && located.workspace !== undefined, auto: located.auto !== undefined }
}

/** A computer that is named may be on any of the project's providers. */
function unlessNamed({ computer }: Wanted): string | undefined {
  return computer === undefined ? process.env['AMUX_PROVIDER'] || undefined : undefined
}

export function endpointFile(state: string, provider: string, computer: string): string {
  return join(state, 'endpoints', provider, `${computer}.json`)
}

interface Remembered extends Endpoint {
  /** What the environment said then of where its provider has its computers: no secret. */
  readonly where: Readonly<Record<string, string>>
}

/** `variables`: those that say where its provider has its computers. */
export function endpointText(endpoint: Endpoint, variables: readonly string[]): string {
  const where = Object.fromEntries(variables.map((variable) => [variable, process.env[variable] ?? '']))
  return `${JSON.stringify({ version: VERSION, ...endpoint, where })}\n`
}

/** Written by us for us alone, or it does not count. */
function read(file: string): Remembered | undefined {
  try {
    const stat = lstatSync(file)
    if (!stat.isFile() || stat.size > LARGEST || (stat.mode & 0o077) !== 0 || stat.uid !== process.getuid?.()) return undefined
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isEndpoint(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isEndpoint(value: unknown): value is Remembered {
  if (!(value instanceof Object)) return false
  const fields = new Map<string, unknown>(Object.entries(value))
  if (fields.get('version') !== VERSION) return false
  const where = fields.get('where')
  if (!(where instanceof Object) || Object.values(where).some((one) => typeof one !== 'string')) return false
  return ['unix', 'nonce', 'computer', 'provider'].every((name) => typeof fields.get(name) === 'string')
}
