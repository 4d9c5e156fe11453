import type { Writable } from 'node:stream'
import type { AmuxError, Attachment, ExitStatus, SessionInfo, TerminalSize } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import type { AttachRequest, StartRequest } from '../../protocol/index.ts'
import type { SessionHost } from './host.ts'
import { Life } from './life.ts'
import type { Passage } from './passage.ts'
import { checkSignal } from './signals.ts'

export type Opening = { readonly start: StartRequest } | { readonly attach: AttachRequest }

/** A program on a computer as its client sees it. */
export class GuestAttachment implements Attachment {
  readonly #life: Life
  readonly #host: SessionHost

  constructor(host: SessionHost, opening: Opening) {
    this.#host = host
    this.#life = new Life(host, opening)
  }

  /** Resolves once the program runs, or the session is seen. */
  async open(signal?: AbortSignal): Promise<this> {
    await this.#life.open(signal)
    return this
  }

  get session(): SessionInfo {
    return this.#life.session
  }

  get stdin() {
    return this.#life.stdin
  }

  get stdout() {
    return this.#life.stdout
  }

  get stderr() {
    return this.#life.stderr
  }

  get exit(): Promise<ExitStatus> {
    return this.#life.exit
  }

  set onSkipped(listener: NonNullable<Attachment['onSkipped']>) {
    this.#life.onSkipped = listener
  }

  set onDisowned(listener: NonNullable<Attachment['onDisowned']>) {
    this.#life.onDisowned = listener
  }

  async kill(signal = 'SIGTERM'): Promise<void> {
    checkSignal(signal)
    this.#life.signal(signal)
  }

  async resize(size: TerminalSize): Promise<void> {
    if (!this.session.tty) throw fail('invalid_argument', 'it has no terminal to resize', { computer: this.#host.computer })
    this.#life.resize(size)
  }

  /** Asks for a way past this process: see `Passages`. Undefined where there is none; it may take for ever. */
  async askDoor(): Promise<{ enter(): Promise<Passage | undefined> } | undefined> {
    const { passages } = this.#life
    const name = await passages.ask()
    return name === undefined ? undefined : { enter: () => passages.enter(name) }
  }

  /** Drops the connection: a tied program is ended by that. */
  abandon(reason: AmuxError): void {
    this.#life.abandon(reason)
  }

  async detach(): Promise<void> {
    this.#life.leave(fail('aborted', 'detached'))
  }

  /** The fast way out: no iterator between the connection and the streams. Neither is ended. */
  async pipeTo(to: { readonly stdout: Writable; readonly stderr: Writable }): Promise<void> {
    await Promise.all([this.stdout.writeTo(to.stdout), this.stderr.writeTo(to.stderr)])
  }
}
