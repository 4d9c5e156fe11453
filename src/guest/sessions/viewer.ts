import type { ExitStatus, SessionInfo } from '../../contract/index.ts'
import { type DoorWord, Frame, type WireError } from '../../protocol/index.ts'
import { LogReader } from './log.ts'
import { place, u64 } from '../../native/index.ts'
import { Block, type FrameSink } from './sink.ts'
import type { Track } from './track.ts'

/** One stream as one client sees it. */
interface Seat {
  readonly track: Track
  readonly reader: LogReader
  /** Offset of the next byte to send. */
  position: number
  /** Offset up to which the client says it delivered. */
  acked: number
}

const READS_NO_MORE = 2n ** 64n - 1n

/**
 * A client that looks at a session. It is live (each chunk goes to it as it comes) or behind (it reads the log at its
 * own pace until it is live again). What it is too late for is skipped, and said.
 */
export class Viewer {
  readonly sink: FrameSink
  readonly #dir: string
  readonly #seats: readonly Seat[]
  /** Gets everything, and may hold the program back. */
  owner = false
  /** May type although it owns nothing: the client that started a detached session. */
  starter = false
  /** A terminal's viewer is shown the screen first; until then nothing is sent. */
  waiting = false
  /** Behind on a terminal: needs a new picture instead of the bytes. */
  lagging = false
  /** Its terminal's output goes past the guest. */
  #passing = false
  #done = false
  #confirmed = false

  constructor(sink: FrameSink, dir: string, tracks: readonly Track[]) {
    this.sink = sink
    this.#dir = dir
    this.#seats = tracks.map((track) => ({ track, reader: new LogReader(dir, track.number), position: 0, acked: 0 }))
  }

  /** Said everything there was to say. */
  get done(): boolean {
    return this.#done
  }

  /** The client says that it has everything, the end included. */
  get confirmed(): boolean {
    return this.#confirmed
  }

  session(info: SessionInfo): void {
    this.sink.json(Frame.session, info)
  }

  taken(total: number | undefined): void {
    this.sink.send(Frame.taken, u64(total ?? READS_NO_MORE))
  }

  /** Where it may go past the guest; undefined: nowhere, now. */
  door(name?: string): void {
    const word: DoorWord = name === undefined ? { done: true } : { door: name }
    this.sink.json(Frame.door, word)
  }

  /** From this offset on its output goes past the guest: the rest leaves now, crowded or not. */
  pass(offset: number): void {
    const [seat] = this.#seats
    if (seat === undefined) return
    while (seat.position < offset && this.sink.open) this.#readOn(seat, offset)
    this.#passing = true
    this.sink.send(Frame.direct, u64(offset))
  }

  /** What came past the guest comes here again, from this offset on. */
  back(offset: number): void {
    const [seat] = this.#seats
    if (seat === undefined || !this.#passing) return
    this.#passing = false
    seat.position = offset
    const floor = seat.track.floor(this.#dir)
    if (offset < floor) this.#skip(seat, floor)
    else this.#mark(seat)
  }

  /** The same, and nobody knows from where on: a picture follows. */
  lapse(): void {
    this.#passing = false
    this.waiting = true
  }

  disown(): void {
    this.owner = false
    this.sink.send(Frame.disowned)
  }

  exit(status: ExitStatus): void {
    this.sink.json(Frame.exit, status)
  }

  /** Begins at these offsets, as far as they are still kept. */
  seek(from: { readonly stdout: number; readonly stderr: number } | undefined): void {
    this.waiting = false
    for (const seat of this.#seats) {
      const floor = seat.track.floor(this.#dir)
      const wanted = from?.[seat.track.name] ?? floor
      seat.position = Math.min(wanted, seat.track.end)
      seat.acked = seat.position
      if (seat.position < floor) this.#skip(seat, floor)
      else this.#mark(seat)
    }
  }

  /** The screen, drawn from everything before `offset`. */
  picture(bytes: Uint8Array, offset: number): void {
    const [seat] = this.#seats
    if (seat === undefined) return
    if (this.lagging) this.sink.json(Frame.skipped, { stream: seat.track.name, bytes: offset - seat.position })
    this.lagging = false
    this.waiting = false
    this.sink.send(Frame.stdout, bytes)
    seat.position = offset
    seat.acked = Math.max(seat.acked, offset)
    this.#mark(seat)
  }

  acknowledge(stdout: number, stderr: number): void {
    for (const seat of this.#seats) {
      const offset = Math.min(seat.track.number === 1 ? stdout : stderr, seat.position)
      seat.acked = Math.max(seat.acked, offset)
    }
    this.#confirmed = this.#done && this.#seats.every(({ acked, position }) => acked === position)
  }

  acked(track: Track): number {
    return this.#seats.find((seat) => seat.track === track)?.acked ?? 0
  }

  /** A chunk, just now. An owner always has room: its window is what limits it. */
  push(track: Track, offset: number, bytes: Buffer): void {
    const seat = this.#seats.find((candidate) => candidate.track === track)
    if (seat === undefined || this.waiting) return
    if (this.#passing) return void (seat.position = offset + bytes.length)
    // Where the disk is full these bytes are nowhere else: an owner gets what was before them now, crowded or not.
    while (this.owner && seat.position < offset && this.sink.open) this.#readOn(seat, offset)
    // Who comes back may have seen more than is known here.
    const fresh = offset < seat.position ? bytes.subarray(seat.position - offset) : bytes
    if (fresh.length === 0 || seat.position !== offset + bytes.length - fresh.length || !(this.owner || this.sink.hasRoom)) return
    this.sink.send(track.number === 1 ? Frame.stdout : Frame.stderr, fresh)
    seat.position += fresh.length
  }

  /** Whether it has everything there is. */
  get live(): boolean {
    return !this.waiting && !this.lagging && this.#seats.every(({ track, position }) => position >= track.end)
  }

  /** Reads the log as far as there is room. */
  catchUp(): void {
    if (this.waiting || this.lagging) return
    if (this.#passing) return this.#seats.forEach((seat) => (seat.position = seat.track.end))
    for (const seat of this.#seats) while (seat.position < seat.track.end && this.sink.hasRoom) this.#readOn(seat)
  }

  /** Everything was sent and nothing will follow. */
  finish(ends: { readonly stdout: number; readonly stderr: number }): void {
    if (this.#done) return
    this.#done = true
    this.sink.json(Frame.done, ends)
    this.sink.end()
  }

  fail(error: WireError): void {
    if (this.#done) return
    this.#done = true
    this.sink.json(Frame.error, error)
    this.sink.end()
  }

  close(): void {
    for (const { reader } of this.#seats) reader.close()
  }

  #readOn(seat: Seat, end = seat.track.end): void {
    const { track, reader } = seat
    const block = new Block()
    const result = reader.read(seat.position, block.space.subarray(0, Math.min(block.space.length, end - seat.position)))
    if ('bytes' in result && result.bytes > 0) {
      this.sink.sendBlock(track.number === 1 ? Frame.stdout : Frame.stderr, block, result.bytes)
      seat.position += result.bytes
      return
    }
    block.release()
    this.#skip(seat, 'next' in result ? Math.min(result.next, end) : end)
  }

  #skip(seat: Seat, to: number): void {
    this.sink.json(Frame.skipped, { stream: seat.track.name, bytes: to - seat.position })
    seat.position = to
    seat.acked = Math.max(seat.acked, to)
    this.#mark(seat)
  }

  #mark({ track, position }: Seat): void {
    this.sink.send(Frame.mark, place(track.number, position))
  }
}
