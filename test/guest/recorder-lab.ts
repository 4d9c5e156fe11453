import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { arch } from 'node:os'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Tag } from '../../src/guest/sessions/wire.ts'

export const init = join(import.meta.dirname, `../../src/guest/native/prebuilt/amux-init-linux-${arch()}`)

/** What only recorders and followers say; see native/record.h. */
export const Word = { record: 32, lock: 33, role: 34, sync: 35, hello: 96, synced: 97, disowned: 98, data: 99, status: 100 } as const

export function record(tag: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload)
  const head = Buffer.alloc(5)
  head[0] = tag
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

export interface Start {
  readonly argv: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly lock?: string
  readonly stdin?: boolean
  readonly size?: readonly [cols: number, rows: number]
}

/** A place for recorded sessions, and every process that was started in it. */
export class Records {
  readonly root = mkdtempSync(join(tmpdir(), 'amux-records-'))
  readonly #children: ChildProcess[] = []
  #count = 0

  prepare({ argv, cwd = '/', env = { PATH: process.env['PATH'] ?? '' }, lock, stdin = true, size }: Start): string {
    const dir = join(this.root, `s${this.#count++}`)
    mkdirSync(dir, { mode: 0o700 })
    const terminal = size && Buffer.from([size[0] >> 8, size[0], size[1] >> 8, size[1], 255, 255, 255, 255])
    writeFileSync(join(dir, 'start'), Buffer.concat([
      ...argv.map((word) => record(Tag.arg, word)),
      ...Object.entries(env).map(([key, value]) => record(Tag.env, `${key}=${value}`)),
      record(Tag.cwd, cwd),
      record(Word.record, JSON.stringify({ argv })),
      ...(lock === undefined ? [] : [record(Word.lock, lock)]),
      ...(stdin ? [] : [record(Tag.noStdin)]),
      ...(terminal ? [record(Tag.size, terminal)] : []),
    ]))
    return dir
  }

  /** Its standard input, output and error are pipes that nobody has to read. */
  start(dir: string, ...tasks: readonly string[]): ChildProcess {
    return this.spawn(['record', dir, ...tasks])
  }

  follow(dir: string, role: 'o' | 'v' | 'a' | 'd', from: readonly [number, number] = [0, 0], read = true): Follower {
    return new Follower(this.spawn(['follow', dir, role, ...from.map(String)]), from, read)
  }

  spawn(words: readonly string[]): ChildProcess {
    const child = spawn(init, words, { stdio: 'pipe' })
    child.stdin?.on('error', () => {})
    this.#children.push(child)
    return child
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** What one follower printed. Checksums are checked. */
export class Follower {
  readonly child: ChildProcess
  readonly over: Promise<void>
  readonly texts = ['', '']
  readonly first: (number | undefined)[] = [undefined, undefined]
  readonly at: number[]
  readonly skipped: number[] = [0, 0]
  readonly order: number[] = []
  readonly heard: number[] = []
  status: { readonly status: string; readonly number?: number; readonly why?: string; readonly stage?: number } | undefined
  hello: Readonly<Record<string, unknown>> | undefined
  keep = true
  #rest = Buffer.alloc(0)

  constructor(child: ChildProcess, from: readonly [number, number], read: boolean) {
    this.child = child
    this.at = [...from]
    if (read) child.stdout?.on('data', (chunk: Buffer) => this.#take(chunk))
    this.over = new Promise((resolve) => child.once('close', () => resolve()))
  }

  say(tag: number, payload: Uint8Array | string = ''): void {
    this.child.stdin?.write(record(tag, payload))
  }

  limit(stream: 1 | 2, to: number): void {
    const payload = Buffer.alloc(9)
    payload[0] = stream
    payload.writeBigUInt64BE(BigInt(to), 1)
    this.say(Tag.limit, payload)
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 5 && this.#rest.length >= 5 + this.#rest.readUInt32BE(1)) {
      const size = this.#rest.readUInt32BE(1)
      this.#hear(this.#rest[0] ?? 0, this.#rest.subarray(5, 5 + size))
      this.#rest = this.#rest.subarray(5 + size)
    }
  }

  #hear(tag: number, payload: Buffer): void {
    this.heard.push(tag)
    if (tag === Word.status) this.status = JSON.parse(payload.toString()) as NonNullable<Follower['status']>
    if (tag === Word.hello) this.hello = JSON.parse(payload.toString()) as Record<string, unknown>
    if (tag !== Word.data) return
    const stream = payload[0] === 2 ? 1 : 0
    const offset = Number(payload.readBigUInt64BE(1))
    const data = payload.subarray(13)
    if (crc32(data) !== payload.readUInt32BE(9)) throw new Error('a checksum is wrong')
    this.first[stream] ??= offset
    this.skipped[stream] = (this.skipped[stream] ?? 0) + offset - (this.at[stream] ?? 0)
    this.at[stream] = offset + data.length
    if (this.order.at(-1) !== stream) this.order.push(stream)
    if (this.keep) this.texts[stream] += data.toString()
    this.limit(stream === 0 ? 1 : 2, offset + data.length + 1_000_000)
  }
}
