import type { NetworkOptions, PublishedPort } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import type { AutoCheckpoint, Config } from './record.ts'
import { expectName } from './names.ts'
import type { ProjectStore } from './store.ts'

/** What `create` was asked for. */
export interface CreateRequest {
  readonly name?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly template?: string | undefined
  /** The provider's own options. */
  readonly options: Readonly<Record<string, string | number | boolean>>
  readonly network?: NetworkOptions | undefined
  readonly publish?: readonly PublishedPort[] | undefined
  /** It may differ from that of the computer that is there: then it is changed. */
  readonly auto?: AutoCheckpoint | undefined
  /** Milliseconds without use after which it stops by itself. It may differ too. */
  readonly idle?: number | undefined
}

export const plainRequest: CreateRequest = { labels: {}, env: {}, options: {} }

/** One digest for each kind of option that was given. */
export async function digestRequest(store: ProjectStore, request: CreateRequest): Promise<Config> {
  checkRequest(request)
  const { env, labels, options, template, network, publish } = request
  const parts = { env: sorted(env), labels: sorted(labels), options: sorted(options), template: template ?? '', network: textOf(network), publish: textOf(publish) }
  const given = Object.entries(parts).filter(([, text]) => text !== '')
  return Object.fromEntries(await Promise.all(given.map(async ([kind, text]) => [kind, await store.digest(`${kind}\0${text}`)] as const)))
}

function textOf(value: object | undefined): string {
  return value === undefined ? '' : JSON.stringify(value)
}

/** In what the wish differs from the computer that is there. What was not asked for does not differ. */
export function difference(request: CreateRequest, wanted: Config, name: string, had: Config = {}): string | undefined {
  if (request.name !== undefined && request.name !== name) return 'another name'
  const kind = Object.keys(wanted).find((kind) => wanted[kind] !== had[kind])
  return kind === undefined ? undefined : (words[kind] ?? `other ${kind}`)
}

const words: Readonly<Record<string, string>> = {
  env: 'another environment (-e)',
  labels: 'other labels (-l)',
  options: 'other options (-o)',
  template: 'another template',
  publish: 'other published ports (-p); without: amux computer proxy',
  network: 'another network (--network, --host-port); its policy can be changed: amux computer network set',
}

function checkRequest({ name, labels, env }: CreateRequest): void {
  if (name !== undefined) expectName(name)
  const reserved = Object.keys(labels).find((key) => key.startsWith('amux.'))
  if (reserved !== undefined) throw fail('invalid_argument', `label ${reserved}: names that begin with "amux." are amux's own`)
  const odd = Object.keys(env).find((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/u.test(key))
  if (odd !== undefined) throw fail('invalid_argument', `"${odd}" cannot be the name of an environment variable`)
}

function sorted(table: Readonly<Record<string, string | number | boolean>>): string {
  const entries = Object.entries(table)
  return entries.length === 0 ? '' : JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
