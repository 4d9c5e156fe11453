import type { Attachment, ByteSource } from '../../../../src/contract/index.ts'
import { type Greeting, Peer, listen } from './peer.ts'
import { Ring, type StreamNumber } from './ring.ts'

/** More than can be on its way to a client. */
const RING = 16 * 1024 * 1024

/** A session without a terminal: its output goes to every client, and the newest of it to whoever comes back. */
export class PipedSession {
  readonly program: Attachment
  readonly ring: Ring
  readonly #greeting: Omit<Greeting, 'is_owner' | 'tty' | 'cols' | 'rows'>
  readonly #peers = new Set<Peer>()
  /** Its client was lost, and may not have got all that was sent: nothing more is read than fits. */
  #held = false
  #wake: () => void = () => {}
  /** Bytes of both streams since its start. */
  total = 0
  readonly over: Promise<void>
  readonly #onEmpty: (clean: boolean) => void

  constructor(program: Attachment, greeting: PipedSession['greeting'], base: readonly [number, number], onEmpty: (clean: boolean) => void) {
    this.program = program
    this.ring = new Ring(RING, base)
    this.#greeting = greeting
    this.#onEmpty = onEmpty
    this.over = this.#run()
  }

  get greeting(): Omit<Greeting, 'is_owner' | 'tty' | 'cols' | 'rows'> {
    return this.#greeting
  }

  get attended(): boolean {
    return this.#peers.size > 0
  }

  /** Everything there is goes first, in one go with joining: nothing falls between. */
  join(peer: Peer, { owner, input }: { readonly owner: boolean; readonly input: boolean }): void {
    const { ring } = this
    peer.greet({ ...this.#greeting, is_owner: owner, tty: false, cols: 0, rows: 0, stdout_offset: ring.start(1), stderr_offset: ring.start(2) })
    for (const { stream, data } of ring.pieces()) peer.output(stream, data)
    this.#peers.add(peer)
    this.#held = false
    this.#wake()
    listen(peer, this.program, input)
    peer.socket.on('close', (code) => this.#left(peer, code === 1000 || code === 1001))
  }

  /** Nobody comes back: what is written is dropped from now on, unless it fits. */
  release(): void {
    this.#held = false
    this.#wake()
  }

  #left(peer: Peer, clean: boolean): void {
    this.#peers.delete(peer)
    if (this.#peers.size === 0) {
      this.#held = !clean
      this.#onEmpty(clean)
    }
    this.#wake()
  }

  async #run(): Promise<void> {
    const { program } = this
    await Promise.allSettled([this.#pump(1, program.stdout), this.#pump(2, program.stderr)])
    const status = await program.exit.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
    for (const peer of this.#peers) if (status instanceof Error) peer.lost(status.message)
    else peer.exit(status)
  }

  async #pump(stream: StreamNumber, source: ByteSource): Promise<void> {
    for await (const data of source) {
      await this.#room(data.length)
      this.total += data.length
      this.ring.push(stream, data)
      for (const peer of this.#peers) {
        if (peer.lags) peer.socket.terminate()
        else peer.output(stream, data)
      }
    }
  }

  async #room(bytes: number): Promise<void> {
    for (;;) {
      const [first] = this.#peers
      if (first) await first.room()
      if (first && !first.open) continue
      if (!this.#held || this.ring.fits(bytes)) return
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
