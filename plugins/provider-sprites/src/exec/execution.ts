import type { ByteSink, ByteSource, ExitStatus, Process, TerminalSize } from '../../../../src/contract/index.ts'
import { fail, given, hasCode, statusOf } from '../errors.ts'
import { gone, unknownFate } from './fate.ts'
import { type Greeting, greeting, Identity } from './greeting.ts'
import { Intake } from '../../../shared/intake.ts'
import { countOf, parseMessage } from '../service/message.ts'
import { Received } from './replay.ts'
import { checkSignal, codeOf, signalAside } from './signals.ts'
import type { Socket } from '../service/socket.ts'
import type { Sprite } from '../sprite.ts'
import { Typed, sendInput } from './typed.ts'

/** From a break until it is given up, and between two tries. */
const PATIENCE_MS = 10 * 60_000
/** Of what it says before it is known to run, in characters: why it does not is short. */
const SAID_MOST = 64 * 1024
const PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** A connection that lasted so long is worth a try at once. */
const HELD_MS = 5000
/** How a program died is told behind its status, where it is told; our server always does. */
const SIGNAL_MS = 150
const SIGNAL_TOLD_MS = 5000
/** The largest piece of input in one message. */
const PIECE = 256 * 1024

export interface ExecutionOptions {
  readonly tty: TerminalSize | undefined
  readonly signal: AbortSignal | undefined
  /** Told of a program's start that failed: what it was, by the service's own words. */
  onFailure(said: string, code: string | undefined, status: number | undefined): Promise<Error>
}

/** A session of the service as a program. It survives its connection: after a break it is attached to again. */
export class Execution implements Process {
  readonly stdin: ByteSink = { write: (chunk) => this.#write(chunk), end: () => this.#endInput() }
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  /** Resolves once it runs: with its id, if the service says that. */
  readonly begun: Promise<void>
  onSkipped: ((bytes: number, stream: 'stdout' | 'stderr') => void) | undefined
  #identity = new Identity({})
  readonly #sprite: Sprite
  readonly #options: ExecutionOptions
  readonly #out = new Intake()
  readonly #err = new Intake()
  readonly #received = { stdout: new Received(), stderr: new Received() }
  readonly #typed = new Typed()
  #socket: Socket
  /** Resolves once there is a socket again, or none will be. */
  #connected: Promise<void> = Promise.resolve()
  #signals: boolean
  #size: TerminalSize | undefined
  #said = ''
  #failure: { readonly text: string; readonly code: string | undefined } | undefined
  #code: number | undefined
  #sent: string | undefined
  #over = false
  #running = false
  /** When it was attached to last, since when it has been tried without luck, and how long to wait next. */
  #attachedAt = -Infinity
  #lostAt = 0
  #pause = PAUSE_MS
  #begin!: { readonly resolve: () => void; readonly reject: (error: unknown) => void }
  #end!: { readonly resolve: (status: ExitStatus) => void; readonly reject: (error: unknown) => void }

  constructor(sprite: Sprite, socket: Socket, options: ExecutionOptions) {
    this.#sprite = sprite
    this.#socket = socket
    this.#options = options
    this.#size = options.tty
    this.#signals = String(socket.headers['x-sprite-capabilities'] ?? '').split(',').map((word) => word.trim()).includes('signal')
    this.stdout = this.#out.source
    this.stderr = this.#err.source
    this.begun = new Promise((resolve, reject) => (this.#begin = { resolve, reject }))
    this.exit = new Promise((resolve, reject) => (this.#end = { resolve, reject }))
    for (const promise of [this.exit, this.begun]) promise.catch(() => undefined)
    this.#listen(socket)
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (options.signal?.aborted) this.#onAbort()
  }

  /** The service's own id for it, a process id. Empty until it has begun. */
  get id(): string {
    return this.#identity.id
  }

  async kill(signal = 'SIGTERM'): Promise<void> {
    checkSignal(signal)
    if (this.#over || this.#code !== undefined) return
    this.#sent = signal
    if (this.#signals && (await this.#socket.send(JSON.stringify({ type: 'signal', signal: signal.slice('SIG'.length) })))) return
    await signalAside(this.#sprite, this.#identity.key, signal)
  }

  async resize(size: TerminalSize): Promise<void> {
    if (!this.#options.tty) throw fail('invalid_argument', 'it has no terminal to resize', { source: 'amux', computer: this.#sprite.name })
    this.#size = size
    await this.#socket.send(JSON.stringify({ type: 'resize', cols: size.cols, rows: size.rows }))
  }

  /** What was typed has left. */
  flushed(): Promise<void> {
    return this.#socket.flushed()
  }

  /** Leaves it running. */
  leave(reason: unknown): void {
    this.#fail(reason)
  }

  #listen(socket: Socket): void {
    socket.listen({
      message: (data, binary) => (this.#over ? undefined : binary ? this.#take(data) : this.#hear(data.toString())),
      close: (code) => void this.#closed(socket, code),
    })
  }

  #take(data: Buffer): void | Promise<void> {
    if (data.length === 0) return
    if (this.#options.tty) return this.#out.push(data)
    const kind = data[0]
    if (kind === 1 || kind === 2) return this.#output(kind === 1 ? 'stdout' : 'stderr', data.subarray(1))
    if (kind === 3) this.#status(data[1] ?? 0)
  }

  #output(stream: 'stdout' | 'stderr', data: Uint8Array): void | Promise<void> {
    if (!this.#running && stream === 'stderr' && this.#said.length < SAID_MOST) this.#said += Buffer.from(data).toString()
    try {
      const fresh = this.#received[stream].take(data)
      return (stream === 'stdout' ? this.#out : this.#err).push(fresh)
    } catch (error) {
      this.#fail(error)
    }
  }

  #hear(text: string): void {
    const message = parseMessage(text)
    if (message['type'] === 'session_info') return this.#greeted(message)
    if (message['type'] === 'error' && !this.#running) this.#failure = { text: String(message['error'] ?? ''), code: typeof message['code'] === 'string' ? message['code'] : undefined }
    if (message['type'] !== 'exit') return
    const code = Number(message['exit_code'] ?? 0)
    const signal = typeof message['signal'] === 'string' ? message['signal'] : undefined
    this.#finish(signal === undefined ? this.#statusOf(code) : { signal })
  }

  /** At the start, and at each return. */
  #greeted(message: Greeting): void {
    if (this.#running) return
    this.#identity = new Identity(message)
    this.#running = true
    this.#begin.resolve()
  }

  #status(code: number): void {
    this.#code = code
    // What is no signal's status is complete.
    if (code < 128) return this.#finish({ code })
    const late = this.#sprite.client.server.amux ? SIGNAL_TOLD_MS : SIGNAL_MS
    setTimeout(() => this.#finish(this.#statusOf(code)), late).unref()
  }

  /** Some services say only 128+n. That of a signal we sent is that signal's. */
  #statusOf(code: number): ExitStatus {
    return this.#sent !== undefined && code === codeOf(this.#sent) ? { signal: this.#sent } : { code }
  }

  #finish(status: ExitStatus): void {
    if (this.#over) return
    if (!this.#running) return void this.#neverRan(status.code)
    this.#done()
    this.#out.end()
    this.#err.end()
    this.#end.resolve(status)
    this.#socket.close()
  }

  async #neverRan(status: number | undefined): Promise<void> {
    this.#done()
    this.#socket.close()
    const { text, code } = this.#failure ?? { text: this.#said, code: undefined }
    const error = await this.#options.onFailure(text.trim(), code, status)
    this.#reject(error)
  }

  async #closed(socket: Socket, code: number): Promise<void> {
    if (this.#over || socket !== this.#socket) return
    // Our server says it again, and with it which signal that was.
    if (this.#code !== undefined && !(this.#code >= 128 && this.#sprite.client.server.amux)) return this.#finish(this.#statusOf(this.#code))
    if (!this.#running) {
      if (this.#failure) return this.#neverRan(undefined)
      return this.#fail(fail('connection_lost', `the connection to ${this.#sprite.name} broke before the program was known to run`, { source: 'transport', computer: this.#sprite.name, hint: `See what runs: amux computer session ls -c ${this.#sprite.name}` }))
    }
    this.#sprite.context.debug(`exec ${this.id}: closed with ${code} and no exit status`)
    this.#connected = this.#return()
    await this.#connected
  }

  /** Finds out what became of it. */
  async #return(): Promise<void> {
    // A connection that breaks as soon as it is there is none.
    const held = performance.now() - this.#attachedAt > HELD_MS
    if (held) [this.#lostAt, this.#pause] = [performance.now(), PAUSE_MS]
    else if (performance.now() - this.#lostAt > PATIENCE_MS) return this.#lose('its connection breaks as soon as it is there')
    for (let first = held; !this.#over; first = false) {
      if (!first && !(await this.#wait())) return this.#lose('nobody waits for it')
      try {
        await this.#attach()
        this.#attachedAt = performance.now()
        return
      } catch (error) {
        if (statusOf(error) === 404 || statusOf(error) === 410) return this.#lose('it has ended meanwhile, and the service does not tell how')
        if (hasCode(error, 'unauthorized', 'permission_denied') || performance.now() - this.#lostAt > PATIENCE_MS) return this.#lose(error instanceof Error ? error.message : String(error))
      }
    }
  }

  /** What is known of its end is all there will be. */
  #lose(why: string): void {
    return this.#code === undefined ? this.#fail(unknownFate(this.#sprite, why)) : this.#finish(this.#statusOf(this.#code))
  }

  async #wait(): Promise<boolean> {
    const pause = this.#pause
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS)
    return this.#sprite.pause(pause)
  }

  async #attach(): Promise<void> {
    const socket = await this.#sprite.client.socket(this.#sprite.path('exec', this.#identity.key), { query: { stdin: true }, signal: this.#options.signal })
    const first = await greeting(socket, this.#identity, (message) => {
      this.#resume(message)
      this.#socket = socket
      this.#listen(socket)
    })
    if (this.#over) return socket.close()
    await this.#retype(socket, countOf(first['stdin_offset']))
    if (this.#size && this.#options.tty) await socket.send(JSON.stringify({ type: 'resize', cols: this.#size.cols, rows: this.#size.rows }))
  }

  #resume(first: Greeting): void {
    if (this.#options.tty) return
    for (const stream of ['stdout', 'stderr'] as const) {
      const lost = this.#received[stream].again(countOf(first[`${stream}_offset`]))
      if (lost > 0) this.onSkipped?.(lost, stream)
      if (lost > 0 && !this.onSkipped) this.#fail(unknownFate(this.#sprite, `${lost} bytes of its output are gone`))
    }
  }

  async #retype(socket: Socket, offset: number | undefined): Promise<void> {
    // On a terminal one sees what arrived.
    const missing = this.#options.tty ? [] : this.#typed.missing(offset)
    if (!missing) return this.#fail(unknownFate(this.#sprite, 'what was typed just before may not have arrived'))
    for (const part of missing) await sendInput(socket, part, this.#options.tty !== undefined)
    if (this.#typed.ended && !this.#options.tty) await socket.send(Buffer.of(4))
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE) {
      await this.#connected
      if (this.#over) throw gone(this.#sprite)
      const part = chunk.subarray(at, at + PIECE)
      this.#typed.add(part)
      await sendInput(this.#socket, part, this.#options.tty !== undefined)
    }
  }

  async #endInput(): Promise<void> {
    if (this.#typed.ended || this.#over) return
    this.#typed.ended = true
    await this.#connected
    await this.#socket.send(Buffer.of(4)) // of a terminal, a key
  }

  readonly #onAbort = (): void => {
    if (this.#over) return
    const reason = given(this.#options.signal)
    const { key } = this.#identity
    this.#fail(reason)
    if (key !== '') void signalAside(this.#sprite, key, 'SIGKILL').catch(() => undefined)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#done()
    this.#reject(error)
    this.#socket.close()
  }

  #reject(error: unknown): void {
    for (const intake of [this.#out, this.#err]) intake.fail(error)
    for (const promise of [this.#begin, this.#end]) promise.reject(error)
  }

  #done(): void {
    this.#over = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }
}
