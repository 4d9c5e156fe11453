import { constants, lstatSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestStore } from '../../../src/contract/index.ts'
import { hasCode } from './errors.ts'
import type { Layout } from './layout.ts'
import { writeWhole } from './meta.ts'

const MOST = 4096

/** The guest's store on this machine. Its computer may have put anything there, links and pipes too. */
export function guestStore({ store }: Layout): GuestStore {
  return {
    read: (name) => readSmall(join(store, name)),
    async write(name, text) {
      const path = join(store, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (found && !found.isFile()) await rm(path, { recursive: true })
      await writeWhole(path, text)
    },
  }
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      return stat.isFile() && stat.size <= MOST ? await file.readFile('utf8') : undefined
    } finally {
      await file.close()
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ELOOP') || hasCode(error, 'ENXIO')) return undefined
    throw error
  }
}
