import type { ListeningPort, PortEvent } from '../../../../../src/contract/index.ts'
import type { Peer } from './peer.ts'
import type { Served } from './served.ts'

const DEEPEST = 32
/** Most programs end before they listen to anything: those are not watched. */
const SOON_MS = 150

/** Tells a session's client what the session's own programs listen on, for as long as it is connected. */
export function watchPorts(served: Served, leader: number, peer: Peer): void {
  const gone = new AbortController()
  const timer = setTimeout(() => void follow(served, leader, peer, gone.signal).catch(() => undefined), SOON_MS)
  peer.socket.on('close', () => {
    clearTimeout(timer)
    gone.abort()
  })
}

async function follow({ computer }: Served, leader: number, peer: Peer, signal: AbortSignal): Promise<void> {
  // What a program leaves behind is its holder's.
  const holder = await parentOf(leader).catch(() => 0)
  const told = new Set<string>()
  // Whose one is cannot always be told. Of those, what was there before is another's, for all that is known.
  const before = new Set((await computer.ports.list()).filter(({ pid }) => pid === 0).map(keyOf))
  for await (const event of computer.ports.events({ signal })) {
    const key = keyOf(event)
    if (event.type === 'closed') {
      before.delete(key)
      if (told.delete(key)) peer.text(notice(event))
    } else if (event.pid === 0 ? !before.has(key) : await isBelow(event.pid)) {
      told.add(key)
      peer.text(notice(event))
    }
    // Who does not read what its program says is not told of ports meanwhile; the guest keeps what it can.
    await peer.room()
  }

  async function isBelow(pid: number): Promise<boolean> {
    for (let at = pid, depth = 0; at > 1 && depth < DEEPEST; depth++) {
      if (at === leader || at === holder) return true
      at = await parentOf(at)
    }
    return false
  }

  async function parentOf(pid: number): Promise<number> {
    const parts: Uint8Array[] = []
    for await (const part of computer.files.read(`/proc/${pid}/stat`)) parts.push(part)
    // The name in the second field may hold anything, spaces and parentheses too.
    return Number(/\) \S (\d+)/.exec(Buffer.concat(parts).toString().split('\n').at(0) ?? '')?.[1] ?? 0)
  }
}

function keyOf({ address, port, pid }: ListeningPort): string {
  return `${address} ${port} ${pid}`
}

export function notice({ type, port, address, pid }: PortEvent): object {
  return { type: `port_${type}`, port, address, pid }
}
