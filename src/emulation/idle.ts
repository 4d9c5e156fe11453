import type { Computer, GuestStore, IdleStop } from '../contract/index.ts'
import { fail } from '../errors/index.ts'
import { Place } from '../protocol/index.ts'
import { formatDuration } from '../util/duration.ts'
import type { GuestClient } from './client/index.ts'

/** A longer timer fires at once. */
const LONGEST = 2 ** 31 - 1

type Own = Pick<Computer, 'name' | 'info' | 'store'>

/** Whether a computer can be made to stop by itself: its end must be that of the guest's supervisor. */
export function canStopItself({ guest, store }: Partial<Pick<Computer, 'guest' | 'store'>>): boolean {
  return guest?.booted === true && store !== undefined
}

/** By the guest, which reads what is set when it starts. */
export function guestIdleStop(own: Own, client: Pick<GuestClient, 'idleStop'>): IdleStop {
  return {
    get: async () => afterOf(await storeOf(own).read(Place.idle)),
    async set(after) {
      if (after !== undefined && !(after > 0 && after <= LONGEST)) throw fail('invalid_argument', `a computer cannot stop after ${after} ms`)
      if ((await own.info()).state === 'running') return client.idleStop(after)
      await storeOf(own).write(Place.idle, JSON.stringify(after === undefined ? {} : { after }))
      // It may have started since, and read what was there before.
      if ((await own.info()).state === 'running') await client.idleStop(after)
    },
  }
}

/** Why a computer that is stopped is so, if that was its own doing. */
export async function sleptBecause({ store }: Pick<Own, 'store'>): Promise<string | undefined> {
  const after = afterOf(await store?.read(Place.slept).catch(() => undefined))
  return after === undefined ? undefined : `by itself, idle for ${formatDuration(after)}`
}

/** The computer wrote it. */
function afterOf(text: string | undefined): number | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return value instanceof Object && 'after' in value && typeof value.after === 'number' && value.after > 0 && value.after <= LONGEST ? value.after : undefined
  } catch {
    return undefined
  }
}

function storeOf({ name, store }: Own): GuestStore {
  if (store) return store
  throw fail('unsupported', `${name} has nothing that could stop it`)
}
