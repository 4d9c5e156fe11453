import { fail } from './errors.ts'
import type { Sprite } from './sprite.ts'

export function gone({ name }: Sprite): Error {
  return fail('connection_lost', 'the program has ended, or its connection', { source: 'transport', computer: name })
}

/** Nobody knows how it ended, or whether: that is never taken for a success. */
export function unknownFate({ name }: Sprite, why: string): Error {
  return fail('connection_lost', `what became of the program on ${name} is unknown: ${why}`, { source: 'transport', computer: name, hint: `See whether it runs: amux computer session ls -c ${name}` })
}
