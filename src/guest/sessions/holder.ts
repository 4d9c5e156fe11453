import { connect, type Socket } from 'node:net'
import { constants } from 'node:os'
import type { ExitStatus, TerminalSize } from '../../contract/index.ts'
import { FRAME_MAX } from '../../protocol/index.ts'
import { GuestError } from '../wire.ts'
import { encodeLaunch, encodeSize, type Launch } from './launch.ts'
import { header, packet, PacketDecoder, place } from './packets.ts'
import { explainRefusal } from './refusal.ts'
import { NO_LIMIT, Tag } from './wire.ts'

export interface HolderListener {
  /** Bytes that are in the log already. */
  output(stream: number, offset: number, bytes: Buffer): void
  /** The log is longer now. */
  grew(stream: number, end: number): void
  ended(stream: number, end: number): void
  exited(status: ExitStatus): void
  /** Input bytes taken in all; undefined: nobody reads any more. */
  taken(total: number | undefined): void
  /** Nothing the program started is left. */
  empty(): void
  /** The holder is gone, or does not talk to us any more. */
  gone(): void
}

export interface Limit {
  readonly stream: number
  /** The program's output is read up to here; undefined: all of it. */
  readonly end: number | undefined
  /** What is below is of no use any more. */
  readonly floor: number
}

const signals: ReadonlyMap<number, string> = new Map(Object.entries(constants.signals).toReversed().map(([name, value]) => [value, name]))

/** The connection to the native process that holds one session. */
export class Holder {
  /** 0 until it runs. */
  pid = 0
  leader = 0
  readonly #socket: Socket
  readonly #listener: HolderListener
  #ready: { resolve: () => void; refuse: (stage: number, errno: number) => void } | undefined

  private constructor(socket: Socket, listener: HolderListener) {
    this.#socket = socket
    this.#listener = listener
    const decoder = new PacketDecoder({ packet: (tag, payload) => this.#receive(tag, payload) }, FRAME_MAX)
    socket.on('data', (chunk: Buffer) => decoder.push(chunk))
    socket.on('error', () => {})
  }

  /** Starts a program over a connection to the supervisor. `limits` hold from its first byte on. */
  static async start(socket: Socket, launch: Launch, listener: HolderListener, limits: readonly Limit[]): Promise<Holder> {
    const holder = new Holder(socket, listener)
    await holder.#open(Buffer.concat([encodeLaunch(launch), ...limits.map(encodeLimit)]), launch)
    return holder
  }

  /** Finds the holder of a session that lives on from before. */
  static async resume(path: string, listener: HolderListener): Promise<Holder> {
    const holder = new Holder(connect(path), listener)
    await holder.#open(packet(Tag.resume))
    return holder
  }

  #open(hello: Buffer, launch?: Launch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('close', () => {
        reject(new GuestError('unavailable', 'the supervisor does not answer'))
        if (this.pid !== 0) this.#listener.gone()
      })
      this.#ready = {
        resolve,
        refuse: (stage, errno) => {
          this.#socket.destroy()
          reject(launch === undefined ? new GuestError('failed', `the holder refuses (${stage}, ${errno})`) : explainRefusal(stage, errno, launch))
        },
      }
      this.#socket.write(hello)
    })
  }

  #receive(tag: number, payload: Buffer): void {
    const listener = this.#listener
    if (tag === Tag.output) return listener.output(payload.readUInt8(0), Number(payload.readBigUInt64BE(1)), payload.subarray(9))
    if (tag === Tag.grew) return listener.grew(payload.readUInt8(0), Number(payload.readBigUInt64BE(1)))
    if (tag === Tag.ended) return listener.ended(payload.readUInt8(0), Number(payload.readBigUInt64BE(1)))
    if (tag === Tag.exit) return listener.exited(toStatus(payload.readUInt8(0) === 1, payload.readUInt8(1)))
    if (tag === Tag.empty) return listener.empty()
    if (tag === Tag.failed) return this.#ready?.refuse(payload.readUInt8(0), payload.readUInt32BE(1))
    if (tag === Tag.taken) {
      const total = payload.readBigUInt64BE(0)
      return listener.taken(total === NO_LIMIT ? undefined : Number(total))
    }
    if (tag !== Tag.started) return
    this.pid = payload.readUInt32BE(0)
    this.leader = payload.readUInt32BE(4)
    this.#ready?.resolve()
  }

  input(bytes: Uint8Array): void {
    this.#socket.cork()
    this.#socket.write(header(Tag.input, bytes.length))
    this.#socket.write(bytes)
    this.#socket.uncork()
  }

  endInput(): void {
    this.#socket.write(packet(Tag.endInput))
  }

  limit(limit: Limit): void {
    this.#socket.write(encodeLimit(limit))
  }

  resize(size: TerminalSize): void {
    this.#socket.write(packet(Tag.size, encodeSize(size)))
  }

  signal(number: number): void {
    this.#socket.write(packet(Tag.signal, Buffer.of(number)))
  }

  kill(number: number, grace: number): void {
    const payload = Buffer.of(number, 0, 0, 0, 0)
    payload.writeUInt32BE(grace, 1)
    this.#socket.write(packet(Tag.kill, payload))
  }

  /** We know all we want to know. */
  dismiss(): void {
    this.#socket.end(packet(Tag.dismiss))
  }
}

function encodeLimit({ stream, end, floor }: Limit): Buffer {
  return packet(Tag.limit, place(stream, end ?? NO_LIMIT, floor))
}

export function toStatus(bySignal: boolean, value: number): ExitStatus {
  return bySignal ? { signal: signals.get(value) ?? `SIG${value}` } : { code: value }
}

/** `SIGTERM`, `TERM`, `15`. */
export function signalNumber(name: string): number {
  const upper = name.toUpperCase()
  const known: Readonly<Record<string, number>> = constants.signals
  const number = known[upper] ?? known[`SIG${upper}`] ?? (/^\d+$/.test(name) ? Number(name) : 0)
  if (number < 1 || number > 64) throw new GuestError('invalid_argument', `there is no signal ${JSON.stringify(name)}`)
  return number
}
