import { INPUT_WINDOW } from '../../protocol/index.ts'
import { Watchers } from './watchers.ts'
import { INPUT_IN_FLIGHT } from './wire.ts'

/** Less room than this is not used: a little at a time, each with a message of its own, takes most of the time there is. */
const LEAST = INPUT_IN_FLIGHT / 4
/** An owner that has more to send need not hear of less. */
const TELL_EVERY = INPUT_WINDOW / 8

interface Chunk {
  bytes: Uint8Array
  /** From an owner, whose bytes are counted for it, or from somebody else. */
  readonly owner: boolean
}

/** Where in the whole input the author changes. */
interface Boundary {
  end: number
  readonly owner: boolean
}

/** What is typed, on its way to the program: no more in flight than the holder has room for. */
export class Input {
  /** Sends to the holder. */
  readonly #send: (bytes: Uint8Array | 'end') => void
  readonly #onTaken: () => void
  #queue: Chunk[] = []
  #queued = 0
  #sent = 0
  #taken = 0
  #told = 0
  #foreignTaken: number
  #boundaries: Boundary[] = []
  #ending = false
  #ended = false
  #closed = false
  readonly #watchers = new Watchers()

  /** `foreign`: of what was taken before, how much came from others than owners. */
  constructor(send: (bytes: Uint8Array | 'end') => void, onTaken: () => void, taken = 0, foreign = 0) {
    this.#send = send
    this.#onTaken = onTaken
    this.#taken = taken
    this.#told = taken
    this.#sent = taken
    this.#foreignTaken = foreign
  }

  /** Nobody reads it any more. */
  get closed(): boolean {
    return this.#closed
  }

  get waiting(): number {
    return this.#queued + this.#sent - this.#taken
  }

  /** Bytes of owners that the program has taken since it began. */
  get ownerTaken(): number {
    return this.#taken - this.#foreignTaken
  }

  /** Bytes of others, taken or still to be taken. */
  get foreign(): number {
    const pending = this.#boundaries.reduce((sum, { end, owner }, index) => sum + (owner ? 0 : end - (this.#boundaries[index - 1]?.end ?? this.#taken)), 0)
    return this.#foreignTaken + pending
  }

  push(bytes: Uint8Array, owner: boolean): void {
    if (this.#closed || this.#ending || bytes.length === 0) return
    this.#queue.push({ bytes, owner })
    this.#queued += bytes.length
    const last = this.#boundaries.at(-1)
    const end = (last?.end ?? this.#taken) + bytes.length
    if (last?.owner === owner) last.end = end
    else this.#boundaries.push({ end, owner })
    this.#flow()
  }

  /** End of input once everything before it was taken. */
  end(): void {
    if (this.#ending) return
    this.#ending = true
    this.#flow()
  }

  /** The holder's count; undefined: nobody reads any more. */
  taken(total: number | undefined): void {
    if (total === undefined) return this.close()
    while (this.#taken < total) {
      const [first] = this.#boundaries
      const end = Math.min(first?.end ?? total, total)
      if (first?.owner === false) this.#foreignTaken += end - this.#taken
      this.#taken = end
      if (first !== undefined && first.end <= end) this.#boundaries.shift()
    }
    this.#flow()
    if (this.waiting === 0 || this.#taken - this.#told >= TELL_EVERY) this.#tell()
    this.#watchers.tell()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue = []
    this.#queued = 0
    this.#tell()
    this.#watchers.tell()
  }

  /** Resolves when no more than `most` bytes wait, or nobody reads them any more. */
  settled(most: number, signal?: AbortSignal): Promise<void> {
    return this.#watchers.until(() => this.#closed || this.waiting <= most, signal)
  }

  #flow(): void {
    while (!this.#closed && this.#queue.length > 0) {
      const room = INPUT_IN_FLIGHT - (this.#sent - this.#taken)
      const [first] = this.#queue
      if (first === undefined || room < Math.min(first.bytes.length, LEAST)) return
      const piece = first.bytes.subarray(0, room)
      if (piece.length === first.bytes.length) this.#queue.shift()
      else first.bytes = first.bytes.subarray(piece.length)
      this.#queued -= piece.length
      this.#sent += piece.length
      this.#send(piece)
    }
    if (!this.#ending || this.#ended || this.#closed || this.#queued > 0) return
    this.#ended = true
    this.#send('end')
  }

  #tell(): void {
    this.#told = this.#taken
    this.#onTaken()
  }
}
