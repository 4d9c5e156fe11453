import type { ComputerInfo } from '../../../../../src/contract/index.ts'
import type { SpriteMeta } from './meta.ts'

export const ORGANIZATION = 'local'
/** What clients tell apart by; that of the service which this server behaves like. */
export const SPRITE_VERSION = '0.0.1-rc48'

export type SpriteStatus = 'running' | 'cold'

/** A local computer is never suspended with its memory, so none is ever warm. */
export function statusOf({ state }: ComputerInfo): SpriteStatus {
  return state === 'running' || state === 'starting' ? 'running' : 'cold'
}

export function spriteDocument(info: ComputerInfo, meta: SpriteMeta, urlOf: (name: string) => string): Record<string, unknown> {
  const status = statusOf(info)
  return {
    id: meta.id,
    name: info.name,
    organization: ORGANIZATION,
    org_slug: ORGANIZATION,
    status,
    url: urlOf(info.name),
    url_settings: { auth: meta.urlAuth },
    labels: meta.labels,
    environment: Object.fromEntries(meta.variables.map((name) => [name, ''])),
    created_at: info.createdAt,
    updated_at: meta.updatedAt,
    version: SPRITE_VERSION,
    last_running_at: status === 'running' ? new Date().toISOString() : null,
    last_warming_at: null,
  }
}
