import { fail } from '../errors.ts'

/** Enough to tell whether two places in an output are the same. */
const TAIL = 4096

/**
 * What arrived of one stream, so that what is sent again after a break is told from what is new. A server that says at
 * which offset it begins is taken at its word; else it is believed to begin with the first byte, and compared.
 */
export class Received {
  #count = 0
  #tail: Buffer = Buffer.alloc(0)
  /** Still to be passed over, and whether that was only assumed. */
  #skip = 0
  #assumed = false
  #passed: Buffer = Buffer.alloc(0)

  get count(): number {
    return this.#count
  }

  /** A replay begins. `offset`: of its first byte, where the server tells. Returns how many bytes are gone for good. */
  again(offset: number | undefined): number {
    this.#assumed = offset === undefined
    this.#skip = Math.max(0, this.#count - (offset ?? 0))
    this.#passed = Buffer.alloc(0)
    const lost = Math.max(0, (offset ?? 0) - this.#count)
    this.#count += lost
    return lost
  }

  /** The part of it that is new. Throws `connection_lost` where that cannot be told. */
  take(data: Uint8Array): Uint8Array {
    const old = Math.min(this.#skip, data.length)
    if (old > 0) this.#pass(data.subarray(0, old))
    const fresh = data.subarray(old)
    this.#count += fresh.length
    if (fresh.length > 0) this.#tail = last(this.#tail, fresh)
    return fresh
  }

  #pass(data: Uint8Array): void {
    this.#skip -= data.length
    if (!this.#assumed) return
    this.#passed = last(this.#passed, data)
    if (this.#skip > 0 || this.#passed.equals(this.#tail)) return
    throw fail('connection_lost', 'the connection broke, and what was said after it cannot be told from what was said before', { source: 'transport' })
  }
}

function last(before: Buffer, data: Uint8Array): Buffer {
  if (data.length >= TAIL) return Buffer.from(data.subarray(data.length - TAIL))
  const whole = Buffer.concat([before, data])
  return whole.subarray(Math.max(0, whole.length - TAIL))
}
