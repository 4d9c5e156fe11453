import type { ListeningPort } from '../../contract/index.ts'
import { type Connection, connections } from './listening.ts'
import { ownersOf } from './owners.ts'

/** Connections from outside to what the computer's programs listen on. Those among its own programs are none. */
export async function inbound(ports: readonly ListeningPort[]): Promise<Connection[]> {
  const open = new Set(ports.map(({ port }) => port))
  const all = await connections()
  const byEnds = new Map(all.map((one) => [key(one, one.peer), one]))
  const taken = all.filter(({ port }) => open.has(port))
  // Where the network is shared with the machine, the other end is here too, and may be anybody's.
  const others = new Map(taken.map((one) => [one, byEnds.get(key(one.peer, one))]))
  const own = await ownersOf([...others.values()].filter((other) => other !== undefined))
  return taken.filter((one) => !own.has(others.get(one)?.inode ?? ''))
}

type End = Connection['peer']

function key(here: End, there: End): string {
  return `${here.address} ${here.port} ${there.address} ${there.port}`
}
