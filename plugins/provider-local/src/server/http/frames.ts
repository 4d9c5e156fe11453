import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ByteSource } from '../../../../../src/contract/index.ts'

/** Frames have no length: two that arrive together are one to those who read them. */
const APART_MS = 4
/** Bytes of a frame, at most: what a client is likely to read in one go. */
const FRAME_MOST = 32 * 1024

/** Frames of an exec over HTTP, each in a chunk of its own that nothing joins on the way. */
export class FrameWriter {
  readonly #response: ServerResponse
  #turn: Promise<void> = Promise.resolve()

  constructor(response: ServerResponse) {
    this.#response = response
  }

  async take(stream: number, source: ByteSource): Promise<void> {
    for await (const data of source) {
      for (let at = 0; at < data.length; at += FRAME_MOST) await this.write(Buffer.concat([Buffer.of(stream), data.subarray(at, at + FRAME_MOST)]))
      if (this.#response.destroyed) return
    }
  }

  write(frame: Uint8Array): Promise<void> {
    this.#turn = this.#after(this.#turn, frame)
    return this.#turn
  }

  async #after(turn: Promise<void>, frame: Uint8Array): Promise<void> {
    await turn
    await new Promise<void>((resolve) => this.#response.write(frame, () => resolve()))
    await sleep(APART_MS)
  }
}
