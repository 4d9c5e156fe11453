import type { AmuxError, Attachment, ExitStatus, SessionInfo, TerminalSize } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { ACK_EVERY, Frame, OWNER_WINDOW, Path } from '../../protocol/index.ts'
import { deferred } from '../../util/deferred.ts'
import type { Opening } from './attachment.ts'
import { endedWithoutStatus, exitOf, lostProgram, names } from './exit.ts'
import type { Headers } from './connection.ts'
import type { Carrier, SessionHost } from './host.ts'
import { Inlet } from './inlet.ts'
import { Link } from './link.ts'
import { Outlet } from './outlet.ts'
import { Passages } from './passage.ts'
import { Positions } from './positions.ts'
import { retry } from './retry.ts'
import { parseJson } from './wire.ts'

/** What a viewer lets pile up before it slows the guest; an owner is bounded by its acknowledgements. */
const VIEWER_LIMIT = 1024 * 1024
/** Both its windows full are not too much: to stop reading then would hold up the one that is being read. */
const OWNER_LIMIT = 3 * OWNER_WINDOW
const ACK_TRICKLE_MS = 25

/** One program's connection through all its losses, to its end. */
export class Life {
  readonly stdin: Inlet
  readonly stdout = new Outlet(() => this.#onTaken())
  readonly stderr = new Outlet(() => this.#onTaken())
  #onSkipped: Attachment['onSkipped']
  onDisowned: Attachment['onDisowned']

  readonly passages: Passages
  readonly #host: SessionHost
  readonly #opening: Opening
  readonly #positions: Positions
  readonly #tied: boolean
  readonly #exit = deferred<ExitStatus>()
  readonly #gone = new AbortController()
  #session: SessionInfo | undefined
  #link: Link | undefined
  #size: TerminalSize | undefined
  #owner: boolean
  /** Skipped before anybody could ask to be told. */
  readonly #unheard: { readonly stream: 'stdout' | 'stderr'; readonly bytes: number }[] = []
  /** What could not be delivered while the connection was away. */
  readonly #signals: string[] = []
  #acked = 0
  #trickle: NodeJS.Timeout | undefined
  #paused = false
  #complete = false

  constructor(host: SessionHost, opening: Opening) {
    this.#host = host
    this.#opening = opening
    const starting = 'start' in opening
    this.#tied = starting && opening.start.tied === true
    this.#size = starting ? opening.start.tty : opening.attach.size
    this.#owner = starting ? opening.start.detached !== true : opening.attach.readOnly !== true
    this.stdin = new Inlet(this.#owner)
    this.#positions = new Positions(starting ? { stdout: 0, stderr: 0 } : opening.attach.from)
    this.#exit.promise.catch(() => {})
    this.passages = new Passages({
      isTerminal: () => this.session.tty,
      run: () => (this.#owner ? host.doorway?.() : undefined),
      ask: () => this.#link?.tell(Frame.door) !== undefined,
      typed: () => this.stdin.settled(),
      shown: () => this.stdout.settled().then(() => this.#ackNow()),
      reached: (offset) => this.stdout.passed(offset),
      back: (offset) => this.#link?.back(offset),
    })
  }

  set onSkipped(listener: NonNullable<Attachment['onSkipped']>) {
    this.#onSkipped = listener
    for (const { bytes, stream } of this.#unheard.splice(0)) listener(bytes, stream)
  }

  get session(): SessionInfo {
    if (this.#session === undefined) throw fail('internal', 'a session was used before it began')
    return this.#session
  }

  get exit(): Promise<ExitStatus> {
    return this.#exit.promise
  }

  async open(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw normalise(signal.reason, names(this.#host))
    const connection = await this.#host.connection(signal)
    const [path, request] = 'start' in this.#opening ? [Path.exec, this.#opening.start] : [Path.attach, this.#opening.attach]
    await this.#connect(connection, path, request, this.#host.headers, signal)
    if (this.#link !== undefined) this.stdin.connect(this.#link)
  }

  signal(name: string): void {
    if (this.#link !== undefined) this.#link.tell(Frame.signal, name)
    else if (!this.#gone.signal.aborted && !this.#complete) this.#signals.push(name)
  }

  resize(size: TerminalSize): void {
    this.#size = size
    this.#link?.tell(Frame.resize, JSON.stringify(size))
  }

  /** Goes without ending it. */
  leave(reason: AmuxError): void {
    if (this.#gone.signal.aborted) return
    this.#gone.abort()
    this.#link?.tell(Frame.detach)
    this.#link?.end()
    this.#finish(reason)
    this.stdout.end()
    this.stderr.end()
  }

  /** Drops the connection, and with it what is tied to it. */
  abandon(reason: AmuxError): void {
    if (this.#gone.signal.aborted) return
    this.#gone.abort()
    this.#link?.cancel()
    this.#break(reason)
  }

  /** Resolves with the `session` frame. */
  #connect(connection: Carrier, path: string, request: object, headers: Headers, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        link.cancel()
        reject(normalise(signal?.reason, names(this.#host)))
      }
      const settle = () => signal?.removeEventListener('abort', onAbort)
      const mine = <A extends readonly unknown[]>(act: (...args: A) => void) => (...args: A) => {
        if (this.#link === link) act(...args)
      }
      let begun = false
      const link: Link = new Link(connection, 'POST', path, {
        session: mine((info) => {
          settle()
          this.#onSession(info)
          begun = true
          resolve()
        }),
        output: mine((stream, piece) => this.#onOutput(stream, piece)),
        control: mine((type, payload) => this.#onControl(type, payload)),
        closed: mine((error) => {
          settle()
          this.#link = undefined
          if (begun) this.#onClosed(error)
          else reject(this.#notBegun(error))
        }),
      }, headers, request)
      this.#link = link
      this.#paused = false
      signal?.addEventListener('abort', onAbort)
    })
  }

  #notBegun(error: AmuxError | undefined): AmuxError {
    if (error?.code === 'connection_lost' && 'start' in this.#opening && this.#session === undefined) return lostProgram(error, undefined, this.#tied, this.#host)
    return normalise(error ?? fail('corrupt', 'the guest said nothing about the session', { source: 'transport' }), names(this.#host))
  }

  #onSession(info: SessionInfo): void {
    if (this.#session !== undefined && this.#session.startedAt !== info.startedAt) {
      throw fail('not_found', 'the session is gone, another has its place', { source: 'transport' })
    }
    this.#session = info
    const status = exitOf(info)
    if (status !== undefined) this.#exit.resolve(status)
    if (info.state.status === 'ended') this.#exit.reject(endedWithoutStatus(info.state.reason, this.#host))
  }

  #onOutput(stream: 'stdout' | 'stderr', piece: Buffer): void {
    this[stream].push(piece, this.#positions.advance(stream, piece.length))
    if (this.#paused || this.#waiting() < (this.#owner ? OWNER_LIMIT : VIEWER_LIMIT)) return
    this.#paused = true
    this.#link?.pause()
  }

  #onControl(type: number, payload: Buffer): void {
    if (type === Frame.exit) this.#exit.resolve(parseJson<ExitStatus>(payload, (value) => 'code' in value || 'signal' in value))
    else if (type === Frame.mark) this.#positions.mark(payload)
    else if (type === Frame.taken && payload.length === 8) this.stdin.took(payload)
    else if (type === Frame.done) this.#onDone()
    else if (type === Frame.disowned) this.#onDisowned()
    else if (type === Frame.door || type === Frame.direct) this.passages.hear(type, payload)
    else if (type === Frame.skipped) {
      const skipped = parseJson<{ stream: 'stdout' | 'stderr'; bytes: number }>(payload, (value) => 'bytes' in value)
      if (this.#onSkipped) this.#onSkipped(skipped.bytes, skipped.stream)
      else this.#unheard.push(skipped)
    }
  }

  #onDisowned(): void {
    this.#owner = false
    this.onDisowned?.()
  }

  #onDone(): void {
    this.#complete = true
    this.passages.finish()
    this.stdin.close(fail('conflict', 'the program has ended'))
    this.passages.after(() => {
      this.stdout.end()
      this.stderr.end()
      this.#onTaken()
    })
  }

  #onTaken(): void {
    if (this.#paused && this.#waiting() < VIEWER_LIMIT / 4) {
      this.#paused = false
      this.#link?.resume()
    }
    const link = this.#link
    if (link === undefined) return
    const { delivered: stdout } = this.stdout
    const { delivered: stderr } = this.stderr
    const last = this.#complete && this.stdout.drained && this.stderr.drained
    const pending = stdout + stderr - this.#acked
    if (this.#owner && (last || pending >= ACK_EVERY)) {
      this.#acked = stdout + stderr
      link.ack(stdout, stderr)
    } else if (this.#owner && pending > 0) this.#ackSoon()
    if (last) link.end()
  }

  /** A trickle is acknowledged too, so that whoever comes back is shown what was missed and little more. */
  #ackSoon(): void {
    if (this.#trickle !== undefined) return
    this.#trickle = setTimeout(() => this.#ackNow(), ACK_TRICKLE_MS).unref()
  }

  #ackNow(): void {
    clearTimeout(this.#trickle)
    this.#trickle = undefined
    const { delivered: stdout } = this.stdout
    const { delivered: stderr } = this.stderr
    if (this.#complete || !this.#owner || stdout + stderr === this.#acked) return
    this.#acked = stdout + stderr
    this.#link?.ack(stdout, stderr)
  }

  #waiting(): number {
    return this.stdout.waiting + this.stderr.waiting
  }

  #onClosed(error: AmuxError | undefined): void {
    if (this.#complete || this.#gone.signal.aborted) return
    if (this.#tied || (error !== undefined && error.code !== 'connection_lost')) return this.#lose(error)
    if (!this.stdin.interrupt() && !this.session.tty) return this.#lose(error)
    void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    this.#host.onConnection?.('lost')
    await this.passages.lost()
    try {
      await retry(() => this.#again(), this.#host.patience, this.#gone.signal)
      this.#host.onConnection?.('back')
    } catch (error) {
      this.#lose(normalise(error))
    }
  }

  async #again(): Promise<void> {
    const connection = await this.#host.connection()
    const { id, tty } = this.session
    const from = tty ? undefined : this.#positions.from
    if (tty) this.#positions.forget()
    const request = { id, readOnly: !this.#owner, ...(from && { from }), ...(this.#size && { size: this.#size }) }
    // The guest may be another one by now; the session says whether it is the same.
    await this.#connect(connection, Path.attach, request, {})
    if (this.#link === undefined) return
    this.stdin.resume(this.#link)
    for (const signal of this.#signals.splice(0)) this.signal(signal)
  }

  #lose(error: AmuxError | undefined): void {
    this.#gone.abort()
    this.#break(lostProgram(error ?? fail('connection_lost', 'the guest hung up'), this.#session, this.#tied, this.#host))
  }

  #break(error: AmuxError): void {
    this.#finish(error)
    this.stdout.fail(error)
    this.stderr.fail(error)
  }

  #finish(error: AmuxError): void {
    this.#exit.reject(error)
    this.stdin.close(error)
  }
}
