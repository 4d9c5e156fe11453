import type { GuestStore } from '../../../src/contract/index.ts'
import type { Client } from './client.ts'
import { mustLook, put, takeSmall } from './engine/container.ts'
import { inside } from './names.ts'

const MOST = 4096

/** The guest's store through the engine, which unpacks into a volume also while nothing runs. */
export function guestStore(client: Client, name: string): GuestStore {
  return {
    read: async (file) => takeSmall(client, (await mustLook(client, name)).Id, `${inside.store}/${file}`, MOST),
    write: async (file, text) => put(client, (await mustLook(client, name)).Id, inside.store, [{ name: file, mode: 0o600, content: text }]),
  }
}
