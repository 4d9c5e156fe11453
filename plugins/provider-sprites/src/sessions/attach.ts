import { setTimeout as sleep } from 'node:timers/promises'
import type { Attachment, ByteSink, ByteSource, ExitStatus, SessionInfo, TerminalSize } from '../../../../src/contract/index.ts'
import { fail, given, hasCode } from '../errors.ts'
import { gone, notOwner } from '../exec/fate.ts'
import { Intake } from '../../../shared/intake.ts'
import type { Recorder } from './recorder.ts'
import { Line, type Offsets, type Role, type Verdict, verdictOf } from './recorder-line.ts'
import { type Packet, Tag, endOf, limitOf, outputOf } from './recorder-wire.ts'
import { checkSignal, nameOf, numberOf } from '../exec/signals.ts'

/** Under way to us at most; large outputs at once are known to lose bytes. */
const WINDOW = 512 * 1024
const STEP = 64 * 1024
const PIECE = 64 * 1024
/** Typed and not yet known to have arrived. */
const UNKNOWN_INPUT = 512 * 1024
/** An owner says that it is there. */
const BEAT_MS = 5000
const PATIENCE_MS = 10 * 60_000
const PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000

export interface FollowOptions {
  readonly role: Exclude<Role, 'a' | 'd'>
  /** Undefined: no output, only how it goes. */
  readonly from: Offsets | undefined
  /** A loss is a failure. */
  readonly verify?: boolean
  readonly signal?: AbortSignal | undefined
  /** What giving up on request does: default it leaves. */
  onAbort?(): Promise<unknown>
  /** Told once, before `exit` settles. */
  onOver?(verdict: Verdict): Promise<unknown> | void
}

/** A recorded session seen live: exact, whatever the connection does. */
export class Following implements Attachment {
  readonly stdin: ByteSink = { write: (chunk) => this.#write(chunk), end: () => this.#endInput() }
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  readonly session: SessionInfo
  onDisowned?: () => void
  /** Told when it goes on without this client. */
  onLeft?: () => void
  #onSkipped: Attachment['onSkipped']
  #early: [number, 'stdout' | 'stderr'][] = []
  readonly #recorder: Recorder
  readonly #options: FollowOptions
  readonly #intakes = { stdout: new Intake(), stderr: new Intake() }
  readonly #at: { stdout: number; stderr: number }
  readonly #granted: { stdout: number; stderr: number }
  #role: Exclude<Role, 'a' | 'd'>
  #line: Line | undefined
  #unknown = 0
  #pending: number[] = []
  #wake: (() => void)[] = []
  #inputEnded = false
  #over = false
  readonly #beat: NodeJS.Timeout
  #settle!: { readonly resolve: (status: ExitStatus) => void; readonly reject: (error: unknown) => void }

  private constructor(recorder: Recorder, session: SessionInfo, options: FollowOptions) {
    this.#recorder = recorder
    this.session = session
    this.#options = options
    this.#role = options.role
    this.#at = { stdout: options.from?.stdout ?? 0, stderr: options.from?.stderr ?? 0 }
    this.#granted = { stdout: this.#at.stdout + WINDOW / 2, stderr: this.#at.stderr + WINDOW / 2 }
    this.stdout = this.#intakes.stdout.source
    this.stderr = this.#intakes.stderr.source
    this.exit = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.exit.catch(() => undefined)
    this.#beat = setInterval(() => void this.#grantAgain(), BEAT_MS)
    this.#beat.unref()
  }

  /** Resolves once the recorder answered. `refuse` makes an error of a program that did not begin. */
  static async open(recorder: Recorder, session: (hello: Readonly<Record<string, unknown>>) => SessionInfo, id: string, options: FollowOptions, refuse: (verdict: Verdict) => unknown): Promise<Following> {
    const line = await Line.open(recorder, id, options.role, options.from)
    const first = await line.packets.next()
    if (first.done === true) throw fail('connection_lost', 'the session does not answer', { source: 'transport' })
    const packets = [first.value]
    const hello = first.value.tag === Tag.hello ? (JSON.parse(first.value.payload.toString()) as Record<string, unknown>) : {}
    // Without a living recorder the next is its end, or that it never began; so it is where it went before it greeted.
    if (hello['pid'] !== undefined) return new Following(recorder, session(hello), options).#begin(line, [])
    if (first.value.tag === Tag.hello) {
      const next = await line.packets.next()
      if (next.done !== true) packets.push(next.value)
    }
    const last = packets.at(-1)
    const verdict = last?.tag === Tag.status ? verdictOf(last.payload) : await Following.#ending(line, packets)
    if (verdict?.status === 'refused' || verdict?.status === 'nothing') throw refuse(verdict)
    return new Following(recorder, session(hello), options).#begin(line, packets)
  }

  /** Two streams' ends come before the verdict of one that never said anything. */
  static async #ending(line: Line, packets: Packet[]): Promise<Verdict | undefined> {
    while (packets.at(-1)?.tag === Tag.ended) {
      const next = await line.packets.next()
      if (next.done === true) return undefined
      packets.push(next.value)
      if (next.value.tag === Tag.status) return verdictOf(next.value.payload)
    }
    return undefined
  }

  set onSkipped(told: NonNullable<Attachment['onSkipped']>) {
    this.#onSkipped = told
    for (const [bytes, stream] of this.#early.splice(0)) told(bytes, stream)
  }

  async kill(signal = 'SIGTERM'): Promise<void> {
    checkSignal(signal)
    if (!this.#over) await this.#line?.say(Tag.signal, Buffer.of(numberOf(signal)))
  }

  async resize(_size: TerminalSize): Promise<void> {
    throw fail('invalid_argument', 'it has no terminal to resize', { source: 'amux', computer: this.#recorder.sprite.name })
  }

  async detach(): Promise<void> {
    if (this.#over) return
    const line = this.#line
    this.onLeft?.()
    this.#finish(fail('aborted', 'detached', { source: 'amux' }))
    await line?.leave()
  }

  #begin(line: Line, packets: readonly Packet[]): this {
    const { signal } = this.#options
    signal?.addEventListener('abort', this.#aborted, { once: true })
    void this.#run(line, [...packets])
    if (signal?.aborted) this.#aborted()
    return this
  }

  readonly #aborted = (): void => {
    if (this.#over) return
    const reason = given(this.#options.signal)
    const line = this.#line
    this.#finish(reason)
    void (this.#options.onAbort?.() ?? Promise.resolve()).catch(() => undefined).finally(() => void line?.leave())
  }

  /** Until its end, over as many connections as it takes. */
  async #run(first: Line, early: Packet[]): Promise<void> {
    let line: Line | undefined = first
    let begun = performance.now()
    for (let pause = PAUSE_MS; !this.#over; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const before = this.#at.stdout + this.#at.stderr
      try {
        line ??= await Line.open(this.#recorder, this.session.id, this.#role, this.#options.from && { ...this.#at })
        this.#line = line
        for (const packet of early.splice(0)) await this.#hear(packet)
        for await (const packet of line.packets) {
          if (this.#over) return
          await this.#hear(packet)
        }
        if (this.#over) return
        throw fail('connection_lost', 'the follower of the session ended', { source: 'transport' })
      } catch (error) {
        if (this.#over) return
        line?.cut(error)
        line = this.#line = undefined
        const moved = this.#at.stdout + this.#at.stderr > before
        if (moved) [begun, pause] = [performance.now(), PAUSE_MS]
        if (this.#unknown > 0) return this.#finish(this.#lost('what was typed just before may not have arrived', error))
        if (!hasCode(error, 'connection_lost', 'unavailable', 'rate_limited') || performance.now() - begun > PATIENCE_MS) return this.#finish(this.#lost(error instanceof Error ? error.message : String(error), error))
        this.#recorder.sprite.context.debug(`session ${this.session.id}: following again: ${String(error)}`)
      }
      if (!(await this.#recorder.sprite.pause(pause))) return this.#finish(this.#lost('nobody waits for it'))
    }
  }

  async #hear({ tag, payload }: Packet): Promise<void> {
    if (tag === Tag.data) return this.#take(payload)
    if (tag === Tag.ended) {
      const { stream, end } = endOf(payload)
      return this.#passed(stream, end)
    }
    if (tag === Tag.synced) return this.#arrived()
    if (tag === Tag.disowned) {
      this.#role = 'v'
      this.onLeft?.()
      return this.onDisowned?.()
    }
    if (tag === Tag.exited) return this.#left(verdictOf(payload))
    if (tag === Tag.status) return this.#ended(verdictOf(payload))
  }

  #take(payload: Buffer): void {
    const { stream, offset, data } = outputOf(payload)
    this.#passed(stream, offset)
    const fresh = data.subarray(this.#at[stream] - offset)
    this.#at[stream] += fresh.length
    const busy = this.#intakes[stream].push(fresh)
    const to = this.#at[stream] + WINDOW
    if (busy) void busy.then(() => this.#grant(stream, to))
    else void this.#grant(stream, to)
  }

  /** Bytes before `offset` are not kept any more. */
  #passed(stream: 'stdout' | 'stderr', offset: number): void {
    const missing = offset - this.#at[stream]
    if (missing <= 0 || !this.#options.from) return
    this.#at[stream] = offset
    if (this.#options.verify === true) {
      this.#finish(fail('failed', `${missing} bytes of ${stream} are lost`, { source: 'transport', computer: this.#recorder.sprite.name, hint: `What is kept: amux computer session logs ${this.session.id} -c ${this.#recorder.sprite.name}` }))
    } else if (this.#onSkipped) this.#onSkipped(missing, stream)
    else this.#early.push([missing, stream])
  }

  async #grant(stream: 'stdout' | 'stderr', to: number): Promise<void> {
    if (to < this.#granted[stream] + STEP || this.#over) return
    this.#granted[stream] = to
    await this.#line?.say(Tag.limit, limitOf(stream, to)).catch(() => undefined)
  }

  async #grantAgain(): Promise<void> {
    if (this.#options.from && this.#role === 'o') for (const stream of ['stdout', 'stderr'] as const) await this.#line?.say(Tag.limit, limitOf(stream, this.#granted[stream])).catch(() => undefined)
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE) {
      while (this.#unknown >= UNKNOWN_INPUT && !this.#over) await new Promise<void>((resolve) => this.#wake.push(resolve))
      await this.#type(Tag.input, chunk.subarray(at, at + PIECE))
    }
  }

  async #endInput(): Promise<void> {
    if (this.#inputEnded || this.#over) return
    this.#inputEnded = true
    await this.#type(Tag.endInput, new Uint8Array(0))
  }

  async #type(tag: number, part: Uint8Array): Promise<void> {
    while (!this.#line && !this.#over) await sleep(20)
    if (this.#over) throw gone(this.#recorder.sprite)
    if (this.#role !== 'o') throw notOwner(this.session.id)
    this.#unknown += part.length + 1
    this.#pending.push(part.length + 1)
    await this.#line?.say(tag, part)
    await this.#line?.say(Tag.sync)
  }

  #arrived(): void {
    this.#unknown -= this.#pending.shift() ?? 0
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** The program itself ended; what it left behind may still talk, and is heard. */
  #left(verdict: Verdict): void {
    const status = exitOf(verdict)
    if (status) this.#settle.resolve(status)
  }

  async #ended(verdict: Verdict): Promise<void> {
    await this.#options.onOver?.(verdict)
    const status = exitOf(verdict)
    if (status) this.#finish(undefined, status)
    else this.#finish(this.#lost('it ended without a status'))
  }

  #finish(error: unknown, status?: ExitStatus): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#beat)
    this.#options.signal?.removeEventListener('abort', this.#aborted)
    for (const wake of this.#wake.splice(0)) wake()
    for (const intake of [this.#intakes.stdout, this.#intakes.stderr]) {
      if (status) intake.end()
      else intake.fail(error)
    }
    if (status) this.#settle.resolve(status)
    else this.#settle.reject(error)
    if (!hasCode(error, 'aborted', 'timeout')) this.#line?.cut(error)
  }

  #lost(why: string, cause?: unknown): Error {
    const { name } = this.#recorder.sprite
    return fail('connection_lost', `what became of session ${this.session.id} on ${name} is unknown: ${why}`, { source: 'transport', computer: name, cause, hint: `See whether it runs: amux computer session ls -c ${name}` })
  }
}

function exitOf({ status, number = 0 }: Verdict): ExitStatus | undefined {
  if (status === 'exited') return { code: number }
  return status === 'killed' ? { signal: nameOf(number) } : undefined
}
