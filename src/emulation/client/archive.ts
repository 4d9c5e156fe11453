import type { Archive, ByteSource } from '../../contract/index.ts'
import { normalise } from '../../errors/index.ts'
import { Path } from '../../protocol/index.ts'
import { type Opened, type Opens, orFailed, type Writes, writes } from '../../tar/index.ts'
import type { Calls } from './calls.ts'
import { type Doorway, openDoor } from './doors.ts'

/** `doorway`: where the guest's doors are, if that is on this machine. */
export function guestArchive(calls: Calls, doorway: Doorway): Archive {
  return {
    read(path, { signal } = {}) {
      const query = { path }
      const source = calls.download(Path.archive, { query, signal })
      const open = async (own: AbortSignal | undefined): Promise<Opened | undefined> => openDoor(calls, doorway, 'GET', query, own ?? signal)
      return Object.assign(source, { open }) satisfies Opens
    },
    async write(path, tar, { user, signal } = {}) {
      const query = { path, user }
      if (!writes(tar) || !(await writeThrough(calls, doorway, query, tar, signal))) await calls.upload('PUT', Path.archive, tar, { query, signal })
    },
  }
}

/** False: nothing happened. What is wrong here is why the guest has not got all of it, so that is said first. */
async function writeThrough(calls: Calls, doorway: Doorway, query: { readonly path: string; readonly user: string | undefined }, tar: ByteSource & Writes, signal: AbortSignal | undefined): Promise<boolean> {
  const door = await openDoor(calls, doorway, 'PUT', query, signal)
  if (door === undefined) return false
  const stop = orFailed(door, signal)
  const [here, there] = await Promise.allSettled([tar.writeTo(door.socket, { signal: stop }), door.finished])
  if (signal?.aborted === true) throw normalise(signal.reason)
  if (here.status === 'rejected' && here.reason !== stop.reason) throw normalise(here.reason)
  if (there.status === 'rejected') throw normalise(there.reason)
  return true
}
