import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceSpec } from '../../contract/index.ts'
import { GuestError } from '../wire.ts'

/** What is known of a service on disk. The guest is its only writer. */
export interface Definition {
  readonly name: string
  readonly spec: ServiceSpec
  /** By request: not started with the computer. */
  readonly stopped: boolean
  readonly restarts: number
  /** Its starts that are still kept, oldest first: sessions, each with the offsets its output began at. */
  readonly runs: readonly Run[]
}

export interface Run {
  readonly id: string
  readonly base: readonly [number, number]
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

export function checkName(name: string): string {
  if (NAME.test(name)) return name
  throw new GuestError('invalid_argument', `${JSON.stringify(name)} is no name for a service: small letters, digits and dashes`)
}

export function checkSpec(value: Readonly<Record<string, unknown>>): ServiceSpec {
  const bad = (what: string) => new GuestError('invalid_argument', `a service's ${what}`)
  const { argv, cwd, env, needs, httpPort, ...rest } = value
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw bad(`"${unknown}" means nothing`)
  const plain = (word: unknown): word is string => typeof word === 'string' && !word.includes('\0')
  if (!Array.isArray(argv) || argv.length === 0 || argv[0] === '' || !argv.every(plain)) throw bad('argv is a list of words')
  if (cwd !== undefined && !plain(cwd)) throw bad('cwd is a directory')
  const variables = env === undefined ? [] : Object.entries(env instanceof Object ? env : { '=': '' })
  if (!variables.every(([key, text]) => /^[^=\0]+$/.test(key) && plain(text))) throw bad('env is a table of texts')
  if (needs !== undefined && !(Array.isArray(needs) && needs.every((name) => plain(name) && NAME.test(name)))) throw bad('needs are names of services')
  if (httpPort !== undefined && !(Number.isInteger(httpPort) && Number(httpPort) >= 1 && Number(httpPort) <= 65_535)) throw bad('httpPort is a port')
  return {
    argv,
    ...(cwd !== undefined && { cwd }),
    ...(variables.length > 0 && { env: Object.fromEntries(variables) as Record<string, string> }),
    ...(needs !== undefined && needs.length > 0 && { needs: [...new Set(needs)] }),
    ...(typeof httpPort === 'number' && { httpPort }),
  }
}

/** One file for each service; one that cannot be read keeps its bytes and its name. */
export class Definitions {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  read(): readonly (Definition | { readonly name: string; readonly problem: string })[] {
    return names(this.#directory).map((name) => {
      try {
        const value: unknown = JSON.parse(readFileSync(this.#path(name), 'utf8'))
        if (isDefinition(value) && value.name === name) return value
        return { name, problem: `${this.#path(name)} is no service` }
      } catch (error) {
        return { name, problem: `${this.#path(name)} cannot be read: ${error instanceof Error ? error.message : String(error)}` }
      }
    })
  }

  /** Whole or not at all. */
  write(definition: Definition): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    const path = this.#path(definition.name)
    writeFileSync(`${path}.new`, JSON.stringify(definition), { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true })
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .toSorted()
  } catch {
    return []
  }
}

function isDefinition(value: unknown): value is Definition {
  const has = (key: string, type: string) => value instanceof Object && typeof Reflect.get(value, key) === type
  return has('name', 'string') && has('spec', 'object') && has('stopped', 'boolean') && has('restarts', 'number') && has('runs', 'object')
}
