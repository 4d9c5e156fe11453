import type { TerminalSize } from '../../contract/index.ts'
import { LogReader } from './log.ts'
import type { CreateScreen, Screen } from './screen-type.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'

const HIGH = 512 * 1024
const PIECE = 64 * 1024
/** Lines shown at attach, and kept in a snapshot. */
const SHOWN = 1000
const KEPT = 2000
const SNAPSHOT_EVERY = 4 * 1024 * 1024
/** This much output of a program is not looked at before anybody needs to see it. */
const UNSEEN = 256 * 1024
/** A resize is followed by more of them. */
const RESIZE_SETTLES = 500

/**
 * The true screen of a terminal session: every byte of its output parsed, in order. Asleep while the program's owner
 * sees it, and there is little: most programs then need none.
 */
export class Terminal {
  readonly #dir: string
  readonly #create: CreateScreen
  readonly #reply: (bytes: Uint8Array) => void
  readonly #reader: LogReader
  #size: TerminalSize
  #opening: Promise<Screen> | undefined
  #screen: Screen | undefined
  /** Offset behind the last byte given to the screen, and behind the last there is. */
  #fed = 0
  #end = 0
  #catching: Promise<void> | undefined
  #saved = 0
  #timer: NodeJS.Timeout | undefined
  /** Also output that comes before `begin` does not wake it. */
  #asleep = true
  #painters = 0
  /** What comes before is old output parsed again: its questions were answered long ago. */
  #answerFrom = Infinity

  constructor(dir: string, size: TerminalSize, create: CreateScreen, reply: (bytes: Uint8Array) => void) {
    this.#dir = dir
    this.#size = size
    this.#create = create
    this.#reply = reply
    this.#reader = new LogReader(dir, 1)
  }

  get size(): TerminalSize {
    return this.#size
  }

  /** Offset up to which everything was parsed; the end of all while there is no screen to wait for. */
  get parsed(): number {
    return this.#screen === undefined ? this.#end : this.#fed - this.#screen.pending
  }

  /** A program's questions after `end` are answered; those before were, long ago. */
  begin(end: number, asleep: boolean): void {
    this.#end = Math.max(this.#end, end)
    this.#answerFrom = end
    this.#asleep = asleep
    if (!asleep) this.#open().catch(() => {})
  }

  /** The owner's terminal, which answered until now, is gone. */
  wake(): void {
    if (this.#asleep) void this.#catchUp().catch(() => {})
  }

  /** A screen of the past: nobody is to be answered. */
  recall(end: number): void {
    this.#end = end
  }

  feed(offset: number, bytes: Buffer): void {
    this.#end = offset + bytes.length
    if (this.#asleep && this.#end <= UNSEEN) return
    const direct = this.#screen !== undefined && this.#catching === undefined && this.#fed === offset
    if (!direct) return this.grew(this.#end)
    this.#screen?.write(bytes)
    this.#fed = this.#end
    this.#saveSometimes()
  }

  grew(end: number): void {
    this.#end = Math.max(this.#end, end)
    if (this.#asleep && this.#end <= UNSEEN) return
    void this.#catchUp().then(() => this.#saveSometimes(), () => {})
  }

  /** Resolves once everything there is now was parsed. */
  async settle(): Promise<void> {
    await this.#catchUp()
    await this.#screen?.flush()
  }

  /** Hands over the screen together with the offset it belongs to, at one moment. */
  async paint(take: (bytes: Uint8Array, offset: number) => void, lines = SHOWN): Promise<void> {
    this.#painters++
    try {
      const screen = await this.#open()
      do await this.settle()
      while (this.#fed < this.#end || screen.pending > 0)
      take(screen.paint(lines), this.#end)
    } finally {
      this.#painters--
    }
  }

  async resize(size: TerminalSize): Promise<void> {
    // What was said before was said to the old size.
    const opening = this.#open()
    this.#size = size
    const screen = await opening.catch(() => undefined)
    if (screen === undefined) return
    await this.settle()
    await screen.resize(this.#size)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.save(), RESIZE_SETTLES)
    this.#timer.unref()
  }

  /** Keeps the screen on disk, so that a later guest needs no more than the log since. */
  async save(): Promise<void> {
    const size = this.#size
    await this.paint((bytes, offset) => {
      this.#saved = offset
      writeSnapshot(this.#dir, { offset, size }, bytes)
    }, KEPT).catch(() => {})
  }

  /** Frees the memory; the next `paint` reads the snapshot. */
  async rest(): Promise<void> {
    if (!this.#asleep) await this.save()
    // Whoever came meanwhile lets it rest again when leaving.
    if (this.#painters === 0) this.close()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#screen?.dispose()
    this.#screen = undefined
    this.#opening = undefined
    this.#reader.close()
  }

  #open(): Promise<Screen> {
    if (this.#asleep) this.#answerFrom = this.#end
    this.#asleep = false
    this.#opening ??= this.#create(this.#size, (bytes) => {
      if (this.#fed > this.#answerFrom) this.#reply(bytes)
    }).then((screen) => this.#restore(screen))
    return this.#opening
  }

  async #restore(screen: Screen): Promise<Screen> {
    const snapshot = readSnapshot(this.#dir)
    this.#fed = 0
    if (snapshot !== undefined && snapshot.offset <= this.#end) {
      await screen.resize(snapshot.size)
      screen.write(snapshot.bytes)
      await screen.flush()
      await screen.resize(this.#size)
      this.#fed = snapshot.offset
      this.#saved = snapshot.offset
    }
    this.#screen = screen
    return screen
  }

  #catchUp(): Promise<void> {
    this.#catching ??= this.#readOn().finally(() => (this.#catching = undefined))
    return this.#catching
  }

  async #readOn(): Promise<void> {
    const screen = await this.#open()
    while (this.#fed < this.#end && this.#screen === screen) {
      if (screen.pending > HIGH) await screen.flush()
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, this.#end - this.#fed))
      const result = this.#reader.read(this.#fed, buffer)
      if ('bytes' in result && result.bytes > 0) {
        screen.write(buffer.subarray(0, result.bytes))
        this.#fed += result.bytes
      } else {
        this.#fed = 'next' in result ? Math.min(result.next, this.#end) : this.#end
      }
    }
    await screen.flush()
  }

  #saveSometimes(): void {
    if (this.#end - this.#saved < SNAPSHOT_EVERY) return
    this.#saved = this.#end
    void this.save()
  }
}
