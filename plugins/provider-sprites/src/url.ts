import type { ComputerUrl, Urls } from '../../../src/contract/index.ts'
import type { SpriteDocument } from './document.ts'
import { fail } from './errors.ts'
import type { Sprite } from './sprite.ts'

/** The sprite's own, kept by the service. */
export function spriteUrl(sprite: Sprite): Urls {
  return {
    get: async () => urlOf(sprite, await sprite.client.json<SpriteDocument>('GET', sprite.path())),
    set: async (access) => urlOf(sprite, await sprite.client.json<SpriteDocument>('PUT', sprite.path(), { body: { url_settings: { auth: access === 'public' ? 'public' : 'sprite' } } })),
  }
}

function urlOf({ name }: Sprite, { url, url_settings }: SpriteDocument): ComputerUrl {
  if (url === undefined || url === '') throw fail('unsupported', `the service gives ${name} no URL`, { computer: name })
  const auth = url_settings?.auth ?? 'sprite'
  return { url, access: auth === 'sprite' ? 'private' : auth }
}
