import { fail } from '../errors.ts'
import type { Execution } from '../exec/execution.ts'
import type { Recorder } from './recorder.ts'
import { type Packet, Tag, packet, packets } from './recorder-wire.ts'

/** Owner, viewer, aside: neither; dump: what is there, and no more. */
export type Role = 'o' | 'v' | 'a' | 'd'

export interface Offsets {
  readonly stdout: number
  readonly stderr: number
}

/** How a session ended, by the recorder's own word. */
export interface Verdict {
  readonly status: 'exited' | 'killed' | 'restored' | 'refused' | 'lost' | 'nothing' | 'running'
  readonly number?: number
  readonly endedAt?: string
  readonly why?: string
  readonly stage?: number
}

/** A stream that is not wanted. */
export const NOTHING = Number.MAX_SAFE_INTEGER
const RUN_ON = '30s'

/** One follower of one session, on the sprite. */
export class Line {
  readonly #execution: Execution
  readonly packets: AsyncGenerator<Packet, void>

  private constructor(execution: Execution) {
    this.#execution = execution
    this.packets = packets(execution.stdout)
  }

  /** Without `from` it prints no output. */
  static async open(recorder: Recorder, id: string, role: Role, from?: Offsets, signal?: AbortSignal): Promise<Line> {
    const offsets = from ? [String(from.stdout), String(from.stderr)] : ['-', '-']
    return new Line(await recorder.open((place) => ['follow', recorder.dir(place, id), role, ...offsets], { maxRun: RUN_ON, ...(signal && { signal }) }))
  }

  async say(tag: number, payload?: Uint8Array | string): Promise<void> {
    await this.#execution.stdin.write(packet(tag, payload))
  }

  /** The next packet of a kind; what else comes is passed over. With a session's end, undefined. */
  async until(tag: number): Promise<Packet | undefined> {
    for (;;) {
      const { value, done } = await this.packets.next()
      if (done === true) throw fail('connection_lost', 'the session does not answer any more', { source: 'transport' })
      if (value.tag === tag) return value
      if (value.tag === Tag.status) return undefined
    }
  }

  async leave(): Promise<void> {
    await this.say(Tag.leave).catch(() => undefined)
    this.#execution.leave(fail('aborted', 'left', { source: 'amux' }))
  }

  /** Drops the connection. */
  cut(reason: unknown): void {
    this.#execution.leave(reason)
  }
}

export function verdictOf(payload: Uint8Array): Verdict {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString())
    if (value instanceof Object && 'status' in value && typeof value.status === 'string') return value as Verdict
  } catch {
    // Said below.
  }
  throw fail('corrupt', 'the end of a session cannot be understood')
}
