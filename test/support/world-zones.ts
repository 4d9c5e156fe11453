/** What a name server answers about one name, and how well it behaves. */
export interface Zone {
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly txt?: readonly string[]
  readonly cname?: string
  /** Seconds; default 60. */
  readonly ttl?: number
  /** Milliseconds before the answer. */
  readonly delay?: number
  readonly silent?: boolean
  /** By UDP: an empty answer that says to come back by TCP. */
  readonly truncate?: boolean
  /** An answer to something else, or none at all. */
  readonly garbage?: 'id' | 'question' | 'loop' | 'noise'
  readonly rcode?: number
}

/** Exact names; `*.load.test` is for all below it. */
export type Zones = Readonly<Record<string, Zone>>

const TYPES = { a: 1, cname: 5, txt: 16, aaaa: 28 } as const
const NXDOMAIN = 3

export interface Asked {
  readonly id: number
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly end: number
}

export function readQuestion(message: Buffer): Asked | undefined {
  const labels: string[] = []
  let at = 12
  while (at < message.length && message[at] !== 0) {
    const length = message.readUInt8(at)
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at + 5 > message.length) return undefined
  return { id: message.readUInt16BE(0), name: labels.join('.'), type: message.readUInt16BE(at + 1), flags: message.readUInt16BE(2), end: at + 5 }
}

export function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])), Buffer.from([0])])
}

export function bytesOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const words = (text: string) => text.split(':').filter((word) => word !== '').flatMap((word) => (word.includes('.') ? [...bytesOf(word)] : [parseInt(word, 16) >> 8, parseInt(word, 16) & 255]))
  const before = words(head)
  const after = tail === undefined ? [] : words(tail)
  return Buffer.from([...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after])
}

function record(owner: string, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([writeName(owner), fixed, data])
}

export function zoneOf(zones: Zones, name: string): Zone | undefined {
  const lower = name.toLowerCase()
  return zones[lower] ?? zones[`*.${lower.split('.').slice(1).join('.')}`]
}

function records(zones: Zones, name: string, type: number, depth = 0): Buffer[] {
  const zone = zoneOf(zones, name)
  if (!zone || depth > 30) return []
  const ttl = zone.ttl ?? 60
  const list: Buffer[] = []
  if (zone.cname !== undefined) list.push(record(name, TYPES.cname, ttl, writeName(zone.cname)), ...records(zones, zone.cname, type, depth + 1))
  if (type === TYPES.a) list.push(...(zone.a ?? []).map((address) => record(name, TYPES.a, ttl, bytesOf(address))))
  if (type === TYPES.aaaa) list.push(...(zone.aaaa ?? []).map((address) => record(name, TYPES.aaaa, ttl, bytesOf(address))))
  if (type === TYPES.txt) list.push(...(zone.txt ?? []).map((text) => record(name, TYPES.txt, ttl, Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]))))
  return list
}

/** Undefined: no answer at all. */
export function answerTo(zones: Zones, message: Buffer, byTcp: boolean): Buffer | undefined {
  const asked = readQuestion(message)
  const zone = asked && zoneOf(zones, asked.name)
  if (!asked || zone?.silent) return undefined
  if (zone?.garbage === 'noise') return Buffer.from(Array.from({ length: 40 }, (_, index) => (index < 2 ? message.readUInt8(index) : (index * 89) & 255)))
  const truncated = zone?.truncate === true && !byTcp
  const answers = truncated ? [] : records(zones, asked.name, asked.type)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(zone?.garbage === 'id' ? asked.id ^ 1 : asked.id, 0)
  head.writeUInt16BE(0x8480 | (asked.flags & 0x0100) | (truncated ? 0x0200 : 0) | (zone?.rcode ?? (zone ? 0 : NXDOMAIN)), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(zone?.garbage === 'loop' ? 1 : answers.length, 6)
  const question = Buffer.from(message.subarray(12, asked.end))
  if (zone?.garbage === 'question') question[1] = 'x'.charCodeAt(0)
  // A name that points at itself.
  if (zone?.garbage === 'loop') answers.splice(0, answers.length, Buffer.from([0xc0, asked.end, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4]))
  return Buffer.concat([head, question, ...answers])
}
