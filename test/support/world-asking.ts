import { writeName } from './world-zones.ts'

export interface Answered {
  readonly rcode?: number
  readonly truncated?: boolean
  /** Addresses, names, texts, in the order of the answer. */
  readonly answers?: readonly string[]
  /** Instead of an answer: `timeout`, or a code. */
  readonly error?: string
}

const TYPES = { A: 1, CNAME: 5, TXT: 16, AAAA: 28, AXFR: 252 } as const

/** Bytes of a label may be given as `\ddd`. */
export function writeQuestion(name: string, type: keyof typeof TYPES, id: number): Buffer {
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
  const options = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([head, writeName(name), Buffer.from([0, TYPES[type], 0, 1]), options])
}

function readName(message: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = from
  let end = 0
  while (message.readUInt8(at) !== 0) {
    const length = message.readUInt8(at)
    if (length < 0xc0) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    } else {
      end ||= at + 2
      at = message.readUInt16BE(at) & 0x3fff
    }
  }
  return { name: labels.join('.'), end: end || at + 1 }
}

function words(data: Buffer): string {
  return Array.from({ length: 8 }, (_, index) => data.readUInt16BE(index * 2).toString(16)).join(':')
}

export function readAnswer(message: Buffer): Answered {
  const answers: string[] = []
  let at = message.readUInt16BE(4) === 0 ? 12 : readName(message, 12).end + 4
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const { end } = readName(message, at)
    const type = message.readUInt16BE(end)
    const data = message.subarray(end + 10, end + 10 + message.readUInt16BE(end + 8))
    if (type === TYPES.A) answers.push([...data].join('.'))
    if (type === TYPES.AAAA) answers.push(words(data))
    if (type === TYPES.CNAME) answers.push(readName(message, end + 10).name)
    if (type === TYPES.TXT) answers.push(data.toString('latin1', 1))
    at = end + 10 + data.length
  }
  const flags = message.readUInt16BE(2)
  return { rcode: flags & 15, truncated: (flags & 0x200) !== 0, answers }
}
