import type { Archive, ByteSource } from '../../contract/index.ts'
import { normalise } from '../../errors/index.ts'
import { Path } from '../../protocol/index.ts'
import { handOver, isNotStarted, type Opens, type Writes, writes } from '../../tar/index.ts'
import type { Calls } from './calls.ts'
import { type Doorway, openDoor } from './doors.ts'

/** `doorway`: where the guest's doors are, if that is on this machine. */
export function guestArchive(calls: Calls, doorway: Doorway): Archive {
  return {
    read(path, { signal } = {}) {
      const query = { path }
      const source = calls.download(Path.archive, { query, signal })
      return Object.assign(source, { openSocket: (own) => openDoor(calls, doorway, 'GET', query, own ?? signal) } satisfies Pick<Opens, 'openSocket'>)
    },
    async write(path, tar, { user, signal } = {}) {
      const query = { path, user }
      if (!writes(tar) || !(await writeThrough(calls, doorway, query, tar, signal))) await calls.upload('PUT', Path.archive, tar, { query, signal })
    },
  }
}

/** False: nothing happened. */
async function writeThrough(calls: Calls, doorway: Doorway, query: { readonly path: string; readonly user: string | undefined }, tar: ByteSource & Writes, signal: AbortSignal | undefined): Promise<boolean> {
  const door = await openDoor(calls, doorway, 'PUT', query, signal)
  if (door === undefined) return false
  try {
    await handOver(door, 'here', signal, (stop) => tar.writeTo(door.socket, { signal: stop }))
    return true
  } catch (error) {
    if (isNotStarted(error)) return false
    throw normalise(error)
  }
}
