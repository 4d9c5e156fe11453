import { crc32 } from 'node:zlib'
import { fail } from '../errors.ts'

/** What the native recorder and its followers say: `src/guest/native/wire.h` and `record.h`. */
export const Tag = {
  arg: 1,
  env: 2,
  cwd: 3,
  user: 4,
  size: 5,
  noStdin: 8,
  input: 11,
  endInput: 12,
  limit: 13,
  signal: 14,
  kill: 15,
  record: 32,
  lock: 33,
  sync: 35,
  leave: 36,
  awaited: 37,
  ended: 68,
  hello: 96,
  synced: 97,
  disowned: 98,
  data: 99,
  status: 100,
  exited: 101,
} as const

/** Where a start failed. */
export const Stage = { user: 4, cwd: 5, exec: 6, interpreter: 7 } as const

const HEAD = 5
const MOST = 16 * 1024 * 1024
/** In front of output: stream, offset, checksum. */
const DATA_HEAD = 13

export interface Packet {
  readonly tag: number
  readonly payload: Buffer
}

export interface Output {
  readonly stream: 'stdout' | 'stderr'
  readonly offset: number
  readonly data: Buffer
}

export function packet(tag: number, payload: Uint8Array | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const head = Buffer.alloc(HEAD)
  head[0] = tag
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, at) => bytes.writeUInt32BE(value >>> 0, at * 4))
  return bytes
}

export function limitOf(stream: 'stdout' | 'stderr', to: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = stream === 'stdout' ? 1 : 2
  bytes.writeBigUInt64BE(BigInt(to), 1)
  return bytes
}

/** Columns, rows. */
export function cells({ cols, rows }: { readonly cols: number; readonly rows: number }): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(cols, 0)
  bytes.writeUInt16BE(rows, 2)
  return bytes
}

/** Whole packets out of pieces. What cannot be one is `connection_lost`: something on the way lost bytes. */
export async function* packets(source: AsyncIterable<Uint8Array>): AsyncGenerator<Packet, void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at >= HEAD) {
      const size = rest.readUInt32BE(at + 1)
      if (size > MOST) throw lossy()
      if (rest.length - at < HEAD + size) break
      yield { tag: rest[at] ?? 0, payload: rest.subarray(at + HEAD, at + HEAD + size) }
      at += HEAD + size
    }
    rest = rest.subarray(at)
  }
}

export function outputOf(payload: Buffer): Output {
  if (payload.length <= DATA_HEAD) throw lossy()
  const data = payload.subarray(DATA_HEAD)
  if (crc32(data) !== payload.readUInt32BE(9)) throw lossy()
  return { stream: payload[0] === 2 ? 'stderr' : 'stdout', offset: Number(payload.readBigUInt64BE(1)), data }
}

export function endOf(payload: Buffer): { readonly stream: 'stdout' | 'stderr'; readonly end: number } {
  if (payload.length !== 9) throw lossy()
  return { stream: payload[0] === 2 ? 'stderr' : 'stdout', end: Number(payload.readBigUInt64BE(1)) }
}

export function lossy(): Error {
  return fail('connection_lost', 'bytes were lost on their way from the computer', { source: 'transport' })
}
