import { connect, type Socket } from 'node:net'
import { constants } from 'node:os'
import type { ExitStatus, TerminalSize } from '../../contract/index.ts'
import { FRAME_MAX } from '../../protocol/index.ts'
import { GuestError } from '../wire.ts'
import { encodeLaunch, encodeSize, type Launch } from './launch.ts'
import { header, packet, PacketDecoder, place } from '../../native/index.ts'
import { explainRefusal } from './refusal.ts'
import { NO_LIMIT, Tag } from './wire.ts'

export interface HolderListener {
  /** Around all that came at once: so it is told at once. */
  together(work: () => void): void
  /** Bytes that are in the log already. */
  output(stream: number, offset: number, bytes: Buffer): void
  /** The log is longer now. */
  grew(stream: number, end: number): void
  ended(stream: number, end: number): void
  exited(status: ExitStatus): void
  /** Told of input bytes taken in all; undefined: nobody reads any more. */
  readonly keyboard: { taken(total: number | undefined): void }
  /** Nothing the program started is left. */
  empty(): void
  readonly door: DoorListener
  /** The holder is gone, or does not talk to us any more. */
  gone(): void
}

export interface DoorListener {
  /** The socket is there, and nobody may enter yet. */
  waits(path: string): void
  /** Somebody came in: a terminal's output is theirs to show from this offset on. */
  entered(offset: number): void
}

export interface Limit {
  readonly stream: number
  /** The program's output is read up to here; undefined: all of it. */
  readonly end: number | undefined
  /** What is below is of no use any more. */
  readonly floor: number
}

const signals: ReadonlyMap<number, string> = new Map(Object.entries(constants.signals).toReversed().map(([name, value]) => [value, name]))

/** Who was asked and says nothing for so long never will: whoever waits is told. */
const ANSWER_MS = 30_000

interface Answer {
  started(): void
  refused(error: GuestError): void
  readonly explain: (stage: number, errno: number) => GuestError
}

/**
 * The connection to the native process that holds one session. Listened to from its first moment to its last, by one
 * and the same: no byte can fall between two listeners.
 */
export class Holder {
  /** 0 until it runs. */
  pid = 0
  leader = 0
  readonly #socket: Socket
  readonly #patience: number
  #listener: HolderListener | undefined
  #answer: Answer | undefined

  /** To the supervisor, which makes a new holder, or to a holder that lives on from before. */
  constructor(path: string, patience = ANSWER_MS) {
    this.#socket = connect(path)
    this.#patience = patience
    const decoder = new PacketDecoder({ packet: (tag, payload) => this.#receive(tag, payload) }, FRAME_MAX)
    this.#socket.on('data', (chunk: Buffer) => {
      const take = (): void => decoder.push(chunk)
      if (this.#listener === undefined) take()
      // What it takes makes room for more input, which leaves together, too.
      else this.#listener.together(() => this.together(take))
    })
    this.#socket.on('error', () => {})
    this.#socket.once('close', () => {
      this.#answer?.refused(unanswered())
      if (this.pid !== 0) this.#listener?.gone()
    })
  }

  /** It can still be asked to start a program. */
  get fresh(): boolean {
    return this.#listener === undefined && !this.#socket.destroyed && !this.#socket.readableEnded
  }

  /** Starts a program. `limits` hold from its first byte on. */
  start(launch: Launch, listener: HolderListener, limits: readonly Limit[]): Promise<this> {
    return this.#open(Buffer.concat([encodeLaunch(launch), ...limits.map(encodeLimit)]), listener, (stage, errno) => explainRefusal(stage, errno, launch))
  }

  /** Takes over the session that it holds. */
  resume(listener: HolderListener): Promise<this> {
    return this.#open(packet(Tag.resume), listener, (stage, errno) => new GuestError('failed', `the holder refuses (${stage}, ${errno})`))
  }

  #open(hello: Buffer, listener: HolderListener, explain: Answer['explain']): Promise<this> {
    this.#listener = listener
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(limit)
        this.#answer = undefined
        act()
      }
      const limit = setTimeout(() => this.#giveUp(), this.#patience)
      this.#answer = {
        started: () => settle(() => resolve(this)),
        refused: (error) => settle(() => reject(error)),
        explain,
      }
      if (this.#socket.destroyed) this.#answer.refused(unanswered())
      else this.#socket.write(hello)
    })
  }

  /** Whenever it wakes up, it shall end what it holds: nobody knows of it any more. */
  #giveUp(): void {
    this.kill(constants.signals.SIGKILL, 0)
    this.dismiss()
    this.#answer?.refused(new GuestError('failed', `the program did not start within ${this.#patience / 1000} seconds`))
  }

  #receive(tag: number, payload: Buffer): void {
    const listener = this.#listener
    // Nothing was asked: this is a refusal.
    if (listener === undefined) return void this.#socket.destroy()
    if (tag === Tag.output) return listener.output(payload.readUInt8(0), Number(payload.readBigUInt64BE(1)), payload.subarray(9))
    if (tag === Tag.grew) return listener.grew(payload.readUInt8(0), Number(payload.readBigUInt64BE(1)))
    if (tag === Tag.ended) return listener.ended(payload.readUInt8(0), Number(payload.readBigUInt64BE(1)))
    if (tag === Tag.exit) return listener.exited(toStatus(payload.readUInt8(0) === 1, payload.readUInt8(1)))
    if (tag === Tag.empty) return listener.empty()
    if (tag === Tag.waits) return listener.door.waits(payload.toString())
    if (tag === Tag.direct) return listener.door.entered(Number(payload.readBigUInt64BE(0)))
    if (tag === Tag.failed) return this.#refuse(payload.readUInt8(0), payload.readUInt32BE(1))
    if (tag === Tag.taken) {
      const total = payload.readBigUInt64BE(0)
      return listener.keyboard.taken(total === NO_LIMIT ? undefined : Number(total))
    }
    if (tag !== Tag.started || this.#answer === undefined) return
    this.pid = payload.readUInt32BE(0)
    this.leader = payload.readUInt32BE(4)
    this.#answer.started()
  }

  #refuse(stage: number, errno: number): void {
    this.#socket.destroy()
    this.#answer?.refused(this.#answer.explain(stage, errno))
  }

  /** What is sent in `work` leaves together. */
  together(work: () => void): void {
    this.#socket.cork()
    try {
      work()
    } finally {
      this.#socket.uncork()
    }
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

  /** Lets one visitor in there, instead of whoever was let in before. */
  openDoor(path: string): void {
    this.#socket.write(packet(Tag.door, path))
  }

  shutDoor(): void {
    this.#socket.write(packet(Tag.shut))
  }

  /** We know all we want to know. */
  dismiss(): void {
    this.#socket.end(packet(Tag.dismiss))
  }
}

function unanswered(): GuestError {
  return new GuestError('unavailable', 'the supervisor does not answer')
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
