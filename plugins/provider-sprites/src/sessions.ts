import type { Sessions } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import type { Sprite } from './sprite.ts'

/** Replaced by the real one. */
export function spriteSessions(sprite: Sprite): Sessions {
  const no = async () => {
    throw fail('internal', `sessions of ${sprite.name}`)
  }
  return { start: no, list: async () => [], get: no, attach: no, async *logs() {}, send: no, resize: no, signal: no, kill: no, wait: no, remove: no } as unknown as Sessions
}
