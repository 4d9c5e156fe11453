import type { ByteSink } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'
import type { Sprite } from '../sprite.ts'

export function gone({ name }: Sprite): Error {
  return fail('connection_lost', 'the program has ended, or its connection', { source: 'transport', computer: name })
}

/** Nobody knows how it ended, or whether: that is never taken for a success. */
export function unknownFate({ name }: Sprite, why: string): Error {
  return fail('connection_lost', `what became of the program on ${name} is unknown: ${why}`, { source: 'transport', computer: name, hint: `See whether it runs: amux computer session ls -c ${name}` })
}

export function notOwner(session: string): Error {
  return fail('conflict', 'only the owner of a session types into it', { source: 'amux', hint: `amux computer session send ${session}` })
}

/** The input of one who only looks. */
export function notTyped(session: string): ByteSink {
  return {
    async write() {
      throw notOwner(session)
    },
    async end() {},
  }
}
