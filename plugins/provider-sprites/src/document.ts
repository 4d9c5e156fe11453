import type { ComputerInfo, ComputerState } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import type { Facts } from './facts.ts'

/** A sprite as the API shows it, as far as it is used. */
export interface SpriteDocument {
  readonly id?: string
  readonly name: string
  readonly status?: string
  readonly organization?: string
  readonly org_slug?: string
  readonly url?: string
  readonly url_settings?: { readonly auth?: string }
  readonly labels?: readonly string[] | null
  readonly created_at?: string
  readonly version?: string
}

/** Marks a sprite that amux made, and one that was given an environment. */
export const MARK = 'amux'
export const ENV_MARK = 'amux.env'

export function checkDocument(value: SpriteDocument): SpriteDocument {
  if (typeof value.name === 'string' && value.name !== '') return value
  throw fail('corrupt', 'the API answered with no sprite')
}

/** Labels are texts there: `key=value`. */
export function writeLabels(labels: Readonly<Record<string, string>>, hasEnv: boolean): readonly string[] {
  return [MARK, ...(hasEnv ? [ENV_MARK] : []), ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)]
}

export function isOurs({ labels }: SpriteDocument): boolean {
  return labels?.includes(MARK) === true
}

export function hasEnv({ labels }: SpriteDocument): boolean {
  return labels?.includes(ENV_MARK) === true
}

/** The service's word is shown beside ours. */
const states: Readonly<Record<string, ComputerState>> = { running: 'running', warm: 'hibernating', cold: 'hibernating' }

export function infoOf(sprite: SpriteDocument, facts: Facts | undefined): ComputerInfo {
  const { name, status = '', labels, url, organization, org_slug, version, created_at } = sprite
  const pairs = (isOurs(sprite) ? (labels ?? []) : []).flatMap((label) => {
    const cut = label.indexOf('=')
    return cut < 1 ? [] : [[label.slice(0, cut), label.slice(cut + 1)] as const]
  })
  const details = { status, url, organization: organization ?? org_slug, version }
  return {
    name,
    state: states[status] ?? 'running',
    createdAt: created_at ?? new Date(0).toISOString(),
    labels: Object.fromEntries(pairs),
    ...(facts && { user: facts.user }),
    details: Object.fromEntries(Object.entries(details).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '')),
  }
}
