type Stream = 'stdout' | 'stderr'

/** Absolute offsets of what arrived. Unknown until told: a repainted screen has none. */
export class Positions {
  readonly #at: Record<Stream, number | undefined>

  constructor(from: { readonly stdout: number; readonly stderr: number } | undefined) {
    this.#at = { stdout: from?.stdout, stderr: from?.stderr }
  }

  /** The offset after these bytes. */
  advance(stream: Stream, length: number): number | undefined {
    const at = this.#at[stream]
    if (at !== undefined) this.#at[stream] = at + length
    return this.#at[stream]
  }

  /** Payload of a `mark` frame. */
  mark(payload: Buffer): void {
    if (payload.length !== 9) return
    this.#at[payload.readUInt8(0) === 2 ? 'stderr' : 'stdout'] = Number(payload.readBigUInt64BE(1))
  }

  forget(): void {
    this.#at.stdout = undefined
    this.#at.stderr = undefined
  }

  /** Where to go on, when that is known. */
  get from(): { readonly stdout: number; readonly stderr: number } | undefined {
    const { stdout, stderr } = this.#at
    return stdout === undefined || stderr === undefined ? undefined : { stdout, stderr }
  }
}
