import type { Network, NetworkEvent, NetworkPolicy } from '../../../src/contract/index.ts'
import { fail, statusOf } from './errors.ts'
import type { Sprite } from './sprite.ts'

/** A name, `*.` and a name, or `*`: what the service takes for a domain is not written down, so what surely is none is refused here. */
const DOMAIN = /^(?:\*|(?:\*\.)?(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/i
const ADDRESS = /^\d+(?:\.\d+){3}$/

export function spriteNetwork(sprite: Sprite): Network {
  const path = sprite.path('policy', 'network')
  return {
    async get() {
      const { rules = [] } = await sprite.client.json<Partial<NetworkPolicy>>('GET', path)
      return { rules }
    },
    async set(policy) {
      checkPolicy(policy)
      // The same again is the same.
      await sprite.client.json('POST', path, { body: { rules: policy.rules }, again: true })
    },
    log: (options = {}) => log(sprite, options),
  }
}

export function checkPolicy({ rules }: NetworkPolicy): void {
  for (const rule of rules) {
    if ('include' in rule) continue
    if (DOMAIN.test(rule.domain) && !ADDRESS.test(rule.domain)) continue
    throw fail('invalid_argument', `${JSON.stringify(rule.domain)} is no domain`, { source: 'amux', hint: 'Write example.com, *.example.com or *.' })
  }
}

/** The service keeps none; our own server does. */
async function* log(sprite: Sprite, { follow, denied, signal }: { readonly follow?: boolean; readonly denied?: boolean; readonly signal?: AbortSignal }): AsyncGenerator<NetworkEvent, void> {
  const events = sprite.client.events('GET', sprite.path('amux', 'network', 'log'), { query: { follow, denied }, signal })
  try {
    for await (const event of events) {
      if ('error' in event) throw fail('failed', `the log cannot be read: ${JSON.stringify(event['error'])}`, { computer: sprite.name })
      // Our own server's.
      yield event as unknown as NetworkEvent
    }
  } catch (error) {
    if (statusOf(error) === 404 && !sprite.client.server.amux) throw fail('unsupported', 'Sprites keep no log of what a policy refused', { computer: sprite.name, hint: `See what the policy is: amux computer network show -c ${sprite.name}` })
    throw error
  }
}
