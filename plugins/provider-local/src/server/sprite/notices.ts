import type { PortEvent } from '../../../../../src/contract/index.ts'
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
  const told = new Set<string>()
  for await (const event of computer.ports.events({ signal })) {
    const key = `${event.address} ${event.port} ${event.pid}`
    if (event.type === 'closed') {
      if (told.delete(key)) peer.text(notice(event))
      // Whose it is cannot always be told: one too many is better than one that is missed.
    } else if (event.pid === 0 || (await isBelow(event.pid))) {
      told.add(key)
      peer.text(notice(event))
    }
    // Who does not read what its program says is not told of ports meanwhile; the guest keeps what it can.
    await peer.room()
  }

  async function isBelow(pid: number): Promise<boolean> {
    for (let at = pid, depth = 0; at > 1 && depth < DEEPEST; depth++) {
      if (at === leader) return true
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

export function notice({ type, port, address, pid }: PortEvent): object {
  return { type: `port_${type}`, port, address, pid }
}
