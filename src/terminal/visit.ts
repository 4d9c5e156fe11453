import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { packet, PacketDecoder } from '../native/index.ts'

/** What the program says, and what it is told: mirror of ../guest/native/visit.c. */
const Said = { shown: 1, keys: 2, left: 3, over: 4 } as const
const Told = { type: 1, leave: 2 } as const
const reasons = ['door', 'asked', 'input', 'output'] as const
const RECORD_MAX = 16 * 1024 * 1024
/** Who is asked to go and does not is made to. */
const LEAVE_MS = 1000

/**
 * `door`: the other end closed it; `asked`: so it was told; `input`: that came to its end; `output`: nothing can be
 * shown any more; `broken`: it died.
 */
export type Reason = (typeof reasons)[number] | 'broken'

export interface VisitOptions {
  /** The local terminal's keys and screen, or what comes on standard input. */
  readonly kind: 'keys' | 'input'
  /** Of which nothing was read. It is the program's own from then on. */
  readonly socket: Socket
  /** Keys with one of these are looked at here. */
  readonly special?: readonly number[]
  /** Told, a little later, of what was shown. */
  onShown?(bytes: Buffer): void
  /** Looks at keys; says which of them are typed, and whether the next are to be looked at whatever they are. */
  onKeys?(bytes: Buffer): { readonly forward: Uint8Array; readonly follows: boolean }
}

export interface Over {
  readonly reason: Reason
  /** Was read, and could not be passed on. */
  readonly left: Uint8Array
}

/** A program of ours that stands between the local terminal, or pipe, and a session's door. */
export class Visit {
  /** Resolves once it is gone, and all it said was heard. */
  readonly over: Promise<Over>
  readonly #child: ChildProcess
  readonly #client: Duplex
  readonly #options: VisitOptions
  #reason: Reason = 'broken'
  #left: Buffer = Buffer.alloc(0)
  /** Keys that were looked at last: whether they arrived is known by the next, or by the end. */
  #forward: Uint8Array = Buffer.alloc(0)
  #leaving: NodeJS.Timeout | undefined

  private constructor(child: ChildProcess, options: VisitOptions) {
    this.#child = child
    this.#options = options
    // As it was spawned: both ways.
    this.#client = child.stdio[4] as Duplex
    const decoder = new PacketDecoder({ packet: (tag, payload) => this.#hear(tag, payload) }, RECORD_MAX)
    this.#client.on('data', (chunk: Buffer) => decoder.push(chunk)).on('error', () => undefined)
    this.over = once(child, 'close').then(() => {
      clearTimeout(this.#leaving)
      return { reason: this.#reason, left: this.#left }
    })
  }

  /** Rejects where it cannot be started. */
  static async start(program: string, options: VisitOptions): Promise<Visit> {
    const { kind, socket, special = [] } = options
    try {
      // Of some failures it tells later, others it throws.
      const child = spawn(program, ['visit', kind, ...special.map(String)], { stdio: [0, 1, 'ignore', socket, 'pipe'] })
      await once(child, 'spawn')
      return new Visit(child, options)
    } finally {
      socket.destroy()
    }
  }

  leave(): void {
    if (this.#leaving !== undefined) return
    this.#leaving = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS)
    this.#client.write(packet(Told.leave))
  }

  #hear(tag: number, payload: Buffer): void {
    if (tag === Said.shown) this.#options.onShown?.(payload)
    else if (tag === Said.keys) this.#look(payload)
    else if (tag === Said.left) this.#left = payload
    else if (tag === Said.over) this.#end(payload.readUInt8(0), payload.readUInt8(1) === 1)
  }

  #end(reason: number, asks: boolean): void {
    this.#reason = reasons[reason] ?? 'broken'
    if (asks) this.#left = Buffer.concat([this.#left, this.#forward])
  }

  #look(keys: Buffer): void {
    const { forward, follows } = this.#options.onKeys?.(keys) ?? { forward: keys, follows: false }
    this.#forward = forward
    this.#client.write(packet(Told.type, Buffer.concat([Buffer.of(follows ? 1 : 0), forward])))
  }
}
