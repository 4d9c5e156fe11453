import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DoorWord, Frame } from '../../protocol/index.ts'
import { type Deferred, deferred } from '../../util/deferred.ts'
import { enterDoor } from './doors.ts'
import { parseJson } from './wire.ts'

/** How long what was typed may take to be taken, and the guest to say that one is in: nobody can type meanwhile. */
const ENTER_MS = 500

/**
 * A way to the program past the guest and past this process: for a program of ours that stands between it and the local
 * terminal, or pipe.
 */
export interface Passage {
  /** Of which nothing was read: see `Frame.door`. A terminal's output comes this way alone, to its end. */
  readonly socket: Socket
  /** Fires when it is to be ended: the connection was lost. */
  readonly signal: AbortSignal
  /** So many bytes of output came that way, and are where they belong. */
  passed(bytes: number): void
  /** It is over: output comes the ordinary way again. Where nobody knows how much passed, the terminal is painted anew. */
  end(known: boolean): void
}

/** What a passage needs to know of its program. */
interface Program {
  isTerminal(): boolean
  /** The guest's `run` on this machine, for one who may type. */
  run(): string | undefined
  /** False: there is no connection. */
  ask(): boolean
  /** Resolves once all input was taken, and a connection stands. */
  typed(): Promise<void>
  /** Resolves once all output that arrived was taken. */
  shown(): Promise<void>
  /** All output up to here was taken. */
  reached(offset: number): void
  /** A terminal's output is to come from this offset on, or painted anew. */
  back(offset: number | undefined): void
}

interface Open {
  readonly over: Deferred<void>
  readonly lost: AbortController
}

/** The passages of one program: one at a time. */
export class Passages {
  readonly #program: Program
  #asked: Deferred<string | undefined> | undefined
  #direct: Deferred<number | undefined> | undefined
  #finished = false
  #open: Open | undefined

  constructor(program: Program) {
    this.#program = program
  }

  /** Resolves with a door's name; undefined where there is none now; never, where the guest knows none. */
  async ask(): Promise<string | undefined> {
    if (this.#program.run() === undefined || this.#open !== undefined || !this.#program.ask()) return undefined
    this.#asked ??= deferred()
    return this.#asked.promise
  }

  hear(type: number, payload: Buffer): void {
    if (type === Frame.direct && payload.length === 8) return this.#direct?.resolve(Number(payload.readBigUInt64BE()))
    if (type !== Frame.door) return
    const word = parseJson<DoorWord>(payload, (value) => 'door' in value || 'done' in value)
    this.#answer('door' in word ? word.door : undefined)
  }

  /** The guest has said all it had to say. */
  finish(): void {
    this.#finished = true
    this.#direct?.resolve(undefined)
  }

  /** Undefined: it cannot be. Nothing may be written to the program meanwhile. */
  async enter(name: string): Promise<Passage | undefined> {
    const [tty, run] = [this.#program.isTerminal(), this.#program.run()]
    const typed = this.#program.typed().then(
      () => true,
      () => false,
    )
    if (run === undefined || this.#open !== undefined || this.#finished || !(await Promise.race([typed, sleep(ENTER_MS, false, { ref: false })]))) return undefined
    const open: Open = { over: deferred(), lost: new AbortController() }
    const { signal } = open.lost
    this.#open = open
    this.#direct = deferred()
    const socket = await enterDoor(run, name)
    if (socket === undefined) {
      this.#close(open)
      return undefined
    }
    const at = tty ? await Promise.race([this.#direct.promise, sleep(ENTER_MS, undefined, { ref: false }), once(signal, 'abort').then(() => undefined)]) : 0
    if (at === undefined || signal.aborted) {
      socket.destroy()
      this.#end(open, undefined)
      return undefined
    }
    if (tty) await this.#program.shown()
    let reached = at
    return {
      socket,
      signal,
      passed: (bytes) => tty && this.#program.reached((reached += bytes)),
      end: (known) => this.#end(open, known ? reached : undefined),
    }
  }

  /** Resolves once nothing goes past any more. */
  async lost(): Promise<void> {
    this.#answer(undefined)
    this.#open?.lost.abort()
    await this.#open?.over.promise
  }

  /** Does it now, or once no output goes past any more. */
  after(work: () => void): void {
    if (this.#open === undefined || !this.#program.isTerminal()) work()
    else void this.#open.over.promise.then(work)
  }

  #answer(name: string | undefined): void {
    this.#asked?.resolve(name)
    this.#asked = undefined
  }

  #end(open: Open, reached: number | undefined): void {
    if (this.#open !== open) return
    // Before whoever waits for the end hears of it: it may go on without.
    if (this.#program.isTerminal() && !this.#finished) this.#program.back(reached)
    this.#close(open)
  }

  #close(open: Open): void {
    this.#open = undefined
    open.over.resolve()
  }
}
