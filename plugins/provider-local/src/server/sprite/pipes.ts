import { setImmediate } from 'node:timers/promises'
import type { Attachment, ByteSource, ExitStatus } from '../../../../../src/contract/index.ts'
import { Gong } from '../http/gong.ts'
import type { SessionGreeting } from './greeting.ts'
import { isGoodbye } from '../http/outlet.ts'
import { type Heard, type Peer, inOrder, listen } from './peer.ts'
import { type Cursor, Ring, type StreamNumber } from './ring.ts'

/** More than is on its way to a client, a proxy in between included (a Linux socket keeps up to 4 MB to send and 33 MB received), for each session, and for all of them together. What is more than that on its way when a connection breaks is lost, and said to be. */
const RING = 96 * 1024 * 1024
const RINGS = 512 * 1024 * 1024
const RING_LEAST = 1024 * 1024
/** How far the program may be ahead of the client that it waits for, in bytes: so little that the ring keeps it. */
const AHEAD = 512 * 1024
/** What is no keystroke's echo, in bytes. */
const MUCH = 8 * 1024

let living = 0
const share = () => Math.min(RING, Math.max(RING_LEAST, RINGS / living))

/**
 * A session without a terminal. What it writes goes through a ring, which every client reads at its own pace: the
 * program waits for its owner, and who else is too slow is sent away. Who was lost finds there what it has not got.
 */
export class PipedSession {
  readonly program: Attachment
  /** Resolves when it has ended and whoever it concerns knows, or is not expected any more. */
  readonly over: Promise<void>
  readonly #ring: Ring
  readonly #greeting: SessionGreeting
  readonly #onEmpty: () => void
  /** The first is the owner. */
  readonly #peers = new Map<Peer, Cursor>()
  /** Something to read, or the end. */
  readonly #news = new Gong()
  /** Something was read, or somebody came or left. */
  readonly #taken = new Gong()
  /** Its client was lost, and may not have got all that was sent: nothing that does not fit is read. */
  #held = false
  #end: ExitStatus | Error | undefined
  /** Bytes of input that came, since its start if that was seen. */
  #typed = 0
  readonly #whole: boolean
  readonly #heard: Heard
  #settle: () => void = () => {}

  constructor(program: Attachment, greeting: SessionGreeting, base: readonly [number, number], onEmpty: () => void, adopted = false) {
    this.program = program
    this.#ring = new Ring(share, base)
    this.#greeting = greeting
    this.#onEmpty = onEmpty
    this.#whole = !adopted
    this.#heard = { stdin: inOrder(program.stdin, (count) => (this.#typed += count)), kill: (signal) => program.kill(signal), resize: (size) => program.resize(size) }
    this.over = new Promise((resolve) => (this.#settle = resolve))
    living++
    void this.over.then(() => living--)
    void this.#run()
  }

  /** Bytes of both streams that came from it. */
  get total(): number {
    return this.#ring.total
  }

  get ended(): boolean {
    return this.#end !== undefined
  }

  get attended(): boolean {
    return this.#peers.size > 0
  }

  /** Everything that is there goes first. */
  join(peer: Peer): void {
    const ring = this.#ring
    const cursor = ring.oldest()
    peer.greet({ ...this.#greeting, is_owner: !this.attended, tty: false, cols: 0, rows: 0, stdout_offset: ring.start(1), stderr_offset: ring.start(2), ...(this.#whole && { stdin_offset: this.#typed }) })
    this.#peers.set(peer, cursor)
    this.#held = false
    this.#taken.strike()
    listen(peer, this.#heard)
    peer.socket.on('close', (code) => this.#left(peer, isGoodbye(code)))
    void this.#feed(peer, cursor)
  }

  /** Nobody is expected back: what is written from now on is dropped when it does not fit. */
  release(): void {
    this.#held = false
    this.#taken.strike()
    if (this.ended && !this.attended) this.#settle()
  }

  #left(peer: Peer, clean: boolean): void {
    this.#peers.delete(peer)
    if (this.#peers.size === 0) {
      this.#held = !clean
      if (this.ended && clean) this.#settle()
      else this.#onEmpty()
    }
    this.#taken.strike()
  }

  async #run(): Promise<void> {
    const { program } = this
    await Promise.allSettled([this.#pump(1, program.stdout), this.#pump(2, program.stderr)])
    this.#end = await program.exit.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
    this.#news.strike()
    // Nobody can be told more than that it is gone.
    if (this.#end instanceof Error) return this.#settle()
    if (this.attended) return
    if (this.#held) this.#onEmpty()
    else this.#settle()
  }

  async #pump(stream: StreamNumber, source: ByteSource): Promise<void> {
    for await (const data of source) {
      while (!this.#mayTake(data.length)) await this.#taken.next()
      this.#ring.push(stream, data)
      this.#news.strike()
    }
  }

  #mayTake(bytes: number): boolean {
    const [owner] = this.#peers.values()
    if (owner) return this.#ring.behind(owner) < AHEAD
    return !this.#held || this.#ring.fits(bytes)
  }

  async #feed(peer: Peer, cursor: Cursor): Promise<void> {
    while (peer.open) {
      const next = this.#ring.take(cursor)
      if (next === 'lost') return peer.dismiss()
      if (next) {
        peer.frame(next)
        this.#taken.strike()
        if (peer.crowded) await peer.room()
        // Much at once is more to come: it goes in fewer frames.
        else if (next.size > MUCH) await setImmediate()
      } else if (this.#end) {
        return this.#end instanceof Error ? peer.lost(this.#end.message) : peer.exit(this.#end)
      } else await this.#news.next()
    }
  }
}
