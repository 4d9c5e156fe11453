import { BLOCK, type Entry, HEADER_MAX, padding, writeHeader } from './header.ts'

/** Up to here a file's content goes through a tape. */
export const SMALL = 64 * 1024
const FULL = 256 * 1024

/** Where a tar stream is put together: many small pieces, written side by side into few large ones. */
export class Tape {
  #buffer = Buffer.allocUnsafeSlow(FULL + 2 * SMALL)
  #at = 0

  get full(): boolean {
    return this.#at >= FULL
  }

  header(entry: Entry): void {
    this.#ensure(HEADER_MAX + 2 * (entry.name.length + entry.target.length))
    this.#at = writeHeader(this.#buffer, this.#at, entry)
  }

  /** The beginning of `from`, and what makes its last block whole. */
  content(from: Buffer, size: number): void {
    this.#ensure(size)
    from.copy(this.#buffer, this.#at, 0, size)
    this.#at += size
    this.pad(size)
  }

  /** The zeros after content of this size. */
  pad(size: number): void {
    this.#ensure(BLOCK)
    const end = this.#at + padding(size)
    this.#buffer.fill(0, this.#at, end)
    this.#at = end
  }

  end(): void {
    this.#ensure(2 * BLOCK)
    this.#buffer.fill(0, this.#at, this.#at + 2 * BLOCK)
    this.#at += 2 * BLOCK
  }

  /** What is on it, which is the taker's own from now on. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#at)
    this.#buffer = Buffer.allocUnsafeSlow(FULL + 2 * SMALL)
    this.#at = 0
    return taken
  }

  /** Room that is there but for the rare file whose size nobody knew. */
  #ensure(room: number): void {
    if (this.#at + room <= this.#buffer.length) return
    const wider = Buffer.allocUnsafeSlow(this.#at + room + FULL)
    this.#buffer.copy(wider, 0, 0, this.#at)
    this.#buffer = wider
  }
}
