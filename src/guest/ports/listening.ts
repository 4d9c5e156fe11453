import { readFile } from 'node:fs/promises'

export interface Listener {
  readonly address: string
  readonly port: number
  readonly inode: string
  /** Whose it is. */
  readonly uid: number
}

export interface Connection extends Listener {
  /** The other end. */
  readonly peer: { readonly address: string; readonly port: number }
}

/** TCP_LISTEN and TCP_ESTABLISHED in /proc/net/tcp. */
const LISTEN = '0A'
const ESTABLISHED = '01'

/** Every TCP socket that listens in this network namespace, one per address and port. */
export async function listeners(): Promise<Map<string, Listener>> {
  const found = new Map<string, Listener>()
  for (const listener of (await tables()).flatMap(parseTable)) {
    const key = `${listener.address} ${listener.port}`
    // Workers may share a port; the oldest stands for them, so that the others may come and go.
    if (Number(listener.inode) < Number(found.get(key)?.inode ?? Infinity)) found.set(key, listener)
  }
  return found
}

/** Every TCP connection in this network namespace that stands, once for each of its ends that is here. */
export async function connections(): Promise<Connection[]> {
  return (await tables()).flatMap(rows).filter(({ state }) => state === ESTABLISHED)
}

function tables(): Promise<string[]> {
  return Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/self/net/${name}`, 'latin1').catch(() => '')))
}

/** The format of /proc/net/tcp and tcp6, a heading and then a line per socket. */
export function parseTable(text: string): Listener[] {
  const listening = rows(text).filter(({ state }) => state === LISTEN)
  return listening.map(({ address, port, inode, uid }) => ({ address, port, inode, uid }))
}

function rows(text: string): (Connection & { readonly state: string | undefined })[] {
  const found = []
  for (const line of text.split('\n').slice(1)) {
    const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/)
    if (local === undefined || remote === undefined || inode === undefined) continue
    found.push({ ...place(local), inode, uid: Number(uid), peer: place(remote), state })
  }
  return found
}

function place(text: string): { readonly address: string; readonly port: number } {
  const [address = '', port = ''] = text.split(':')
  return { address: address.length === 8 ? ipv4(address) : ipv6(address), port: Number.parseInt(port, 16) }
}

/** The kernel prints each 32-bit word in the byte order of the machine, which is little-endian on all we run on. */
function octets(hex: string): number[] {
  const words = hex.match(/.{8}/g) ?? []
  return words.flatMap((word) => (word.match(/../g) ?? []).toReversed().map((byte) => Number.parseInt(byte, 16)))
}

function ipv4(hex: string): string {
  return octets(hex).join('.')
}

function ipv6(hex: string): string {
  const all = octets(hex)
  const mapped = all.slice(0, 10).every((byte) => byte === 0) && all[10] === 0xff && all[11] === 0xff
  if (mapped) return all.slice(12).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => (((all[at * 2] ?? 0) << 8) | (all[at * 2 + 1] ?? 0)).toString(16))
  return shorten(groups)
}

/** Writes the longest run of two or more zero groups as `::`. */
function shorten(groups: readonly string[]): string {
  let best = { start: 0, length: 1 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.length < 2) return groups.join(':')
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`
}
