import type { ExitStatus, KillOptions, SessionInfo, SessionState, TerminalSize } from '../../contract/index.ts'
import type { GuestConfig } from '../../protocol/index.ts'
import { GuestError } from '../wire.ts'
import { Audience } from './audience.ts'
import { SessionDoor } from './door.ts'
import { type Holder, type HolderListener, signalNumber } from './holder.ts'
import { Keyboard } from './keyboard.ts'
import { describe, endedBy, endings, statusOf } from './info.ts'
import { checkSize } from './plan.ts'
import { type Facts, saveRecord } from './record.ts'
import type { CreateScreen } from './screen-type.ts'
import { Terminal } from './terminal.ts'
import { Track } from './track.ts'
import type { Viewer } from './viewer.ts'
import { Watchers } from './watchers.ts'

export interface SessionHooks {
  readonly config: GuestConfig
  readonly createScreen: CreateScreen
  /** Nobody needs it any more: its record goes. */
  forget(session: Session): void
}

const DEFAULT_GRACE = 5000

/** A program and everything known about it, from its start until it is forgotten. */
export class Session implements HolderListener {
  readonly dir: string
  readonly tracks: readonly Track[]
  readonly terminal: Terminal | undefined
  readonly audience: Audience
  readonly keyboard: Keyboard
  readonly door: SessionDoor
  holder: Holder | undefined
  /** The client that starts it is not there yet, as what it will come. */
  expected: 'owner' | 'viewer' | undefined
  readonly #hooks: SessionHooks
  readonly #watchers = new Watchers()
  #facts: Facts
  #lastActive: number
  #adopted = false
  #empty = false
  #leaving = false
  #resting = false
  readonly together = (work: () => void): void => this.audience.together(work)

  constructor(dir: string, facts: Facts, hooks: SessionHooks) {
    this.dir = dir
    this.#facts = facts
    this.#hooks = hooks
    this.#lastActive = Date.parse(facts.startedAt)
    const { size, base } = facts
    this.tracks = size === undefined ? [new Track(1, base[0]), new Track(2, base[1])] : [new Track(1, base[0])]
    this.terminal = size === undefined ? undefined : new Terminal(dir, size, hooks.createScreen, (bytes) => this.#answer(bytes))
    this.keyboard = new Keyboard({
      tty: size !== undefined,
      send: (bytes) => (bytes === 'end' ? this.holder?.endInput() : this.holder?.input(bytes)),
      onTaken: () => this.audience.owner?.taken(this.keyboard.ownerTaken),
      onForeign: (foreign) => this.#update({ foreign }, this.kept),
    })
    this.audience = new Audience(this)
    this.door = new SessionDoor(this, hooks.config)
  }

  get id(): string {
    return this.#facts.id
  }

  get name(): string | undefined {
    return this.#facts.name
  }

  get kept(): boolean {
    return this.#facts.kept
  }

  get running(): boolean {
    return this.#facts.state.status === 'running'
  }

  /** The program ended and so did its output. */
  get finished(): boolean {
    return !this.running && this.tracks.every((track) => track.ended)
  }

  info(): SessionInfo {
    return describe(this.#facts, { size: this.terminal?.size, viewers: this.audience.size, owned: this.audience.owner !== undefined, lastActive: this.#lastActive })
  }

  /** The holder is there: the program runs, or lives on from before. */
  begin(holder: Holder): void {
    this.holder = holder
    this.#update({ pid: holder.leader })
    this.terminal?.begin(this.#adopted ? (this.tracks[0]?.end ?? 0) : 0, this.expected === 'owner')
    this.audience.pace()
    this.#settle()
  }

  /** It lives since before this guest, and whoever owned it may come back. */
  adopt(): void {
    this.#adopted = true
    this.keyboard.adopt(this.#facts.foreign)
    if (!this.#facts.tied) this.#update({ kept: true }, true)
  }

  /** It has ended before this guest began: what there is, is on disk. */
  recall(): void {
    for (const track of this.tracks) track.recover(this.dir)
    this.terminal?.recall(this.tracks[0]?.end ?? 0)
    this.keyboard.close()
    this.#empty = true
    this.#resting = true
    this.#update({ kept: true })
  }

  output(stream: number, offset: number, bytes: Buffer): void {
    const track = this.#track(stream)
    if (track === undefined) return
    this.#lastActive = Date.now()
    track.end = offset + bytes.length
    this.audience.push(track, offset, bytes)
    this.terminal?.feed(offset, bytes)
    this.#watchers.tell()
  }

  grew(stream: number, end: number): void {
    const track = this.#track(stream)
    if (track === undefined || end <= track.end) return
    this.#lastActive = Date.now()
    track.end = end
    this.audience.grew(track)
    this.terminal?.grew(end)
    this.#watchers.tell()
  }

  ended(stream: number, end: number): void {
    const track = this.#track(stream)
    if (track === undefined) return
    this.grew(stream, end)
    track.ended = true
    this.#settle()
  }

  exited(status: ExitStatus): void {
    if (!this.running) return
    this.#close(endedBy(status, new Date().toISOString()))
    for (const viewer of this.audience) if (!viewer.waiting) viewer.exit(status)
    this.#settle()
  }

  empty(): void {
    this.#empty = true
    this.#settle()
  }

  /** The holder vanished: what became of the program nobody knows. */
  gone(): void {
    this.holder = undefined
    this.#empty = true
    void this.close('lost')
    for (const track of this.tracks) track.ended = true
    this.#settle()
  }

  /** Ends the record without a status of the program's own. Resolves once everybody who looks on was told. */
  async close(reason: keyof typeof endings, at = new Date()): Promise<void> {
    if (!this.running) return
    this.#close({ status: 'ended', reason, endedAt: at.toISOString() })
    await this.audience.fail(endings[reason])
  }

  /** Joins a client; `from` are offsets to begin at. Resolves once it sees what was before. */
  async join(viewer: Viewer, own: boolean, from?: { readonly stdout: number; readonly stderr: number }, fresh = false): Promise<void> {
    this.expected = undefined
    this.#resting = false
    const picture = this.terminal !== undefined && !fresh
    viewer.waiting = picture
    if (own) this.door.shut()
    this.audience.add(viewer, own)
    viewer.session(this.info())
    if (own) viewer.taken(this.keyboard.ownerTaken)
    if (picture) await this.terminal?.paint((bytes, offset) => viewer.picture(bytes, offset)).catch(() => viewer.seek(undefined))
    else if (fresh) this.audience.replay(viewer)
    else viewer.seek(from)
    const status = statusOf(this.#facts.state)
    if (status !== undefined) viewer.exit(status)
    this.audience.pace()
    this.audience.refresh(viewer)
  }

  /** `over`: it saw everything; `left`: on purpose; `lost`: it may come back. */
  part(viewer: Viewer, how: 'over' | 'left' | 'lost'): void {
    this.door.shut(viewer)
    const wasOwner = this.audience.remove(viewer)
    const { kept, tied, foreground } = this.#facts
    if (wasOwner && how === 'over' && foreground) this.#update({ kept: false })
    if (wasOwner && !kept && !tied && (this.running || how === 'lost')) this.#keep(viewer)
    if (wasOwner) this.audience.pace()
    if (tied && wasOwner && this.running) this.holder?.kill(signalNumber('SIGKILL'), 0)
    this.#settle()
  }

  type(bytes: Uint8Array, owner: boolean): void {
    this.#lastActive = Date.now()
    this.keyboard.type(bytes, owner)
  }

  /** Types for somebody who is not connected to it. */
  async send(source: AsyncIterable<Uint8Array>, options: { readonly eof?: boolean; readonly signal?: AbortSignal } = {}): Promise<void> {
    if (!this.running) throw new GuestError('conflict', `session ${this.id} has ended`)
    this.#lastActive = Date.now()
    await this.keyboard.send(source, options.eof === true, options.signal)
  }

  async resize(size: TerminalSize): Promise<void> {
    checkSize(size)
    if (this.terminal === undefined) throw new GuestError('invalid_argument', `session ${this.id} has no terminal`)
    const { cols, rows } = size
    const now = this.terminal.size
    if (now.cols === cols && now.rows === rows) return
    this.holder?.resize({ cols, rows })
    this.#update({ size: { cols, rows } }, true)
    await this.terminal.resize({ cols, rows })
  }

  /** To its foreground process group. An ended one is no error. */
  signal(name: string): void {
    const number = signalNumber(name)
    this.holder?.signal(number)
  }

  /** Ends everything it started, daemons included. */
  async kill({ signal = 'SIGTERM', grace = DEFAULT_GRACE }: KillOptions = {}): Promise<void> {
    const number = signalNumber(signal)
    this.holder?.kill(number, Math.max(0, Math.min(grace, 0x7fffffff)))
    await this.#watchers.until(() => !this.running && this.#empty)
  }

  /** Resolves when it ended. */
  wait(signal?: AbortSignal): Promise<void> {
    return this.#watchers.until(() => !this.running, signal)
  }

  /** Resolves when `check` holds; it is asked again at every output and change. */
  moved(check: () => boolean, signal: AbortSignal): Promise<void> {
    return this.#watchers.until(check, signal)
  }

  /** Lets go of everything that holds memory or files. */
  release(): void {
    this.holder?.dismiss()
    this.terminal?.close()
    for (const viewer of this.audience) viewer.close()
  }

  #track(stream: number): Track | undefined {
    return this.tracks[stream - 1]
  }

  /** What the screen answers to a program's question, unless somebody's real terminal does. */
  #answer(bytes: Uint8Array): void {
    if (this.running && this.audience.owner === undefined) this.type(bytes, false)
  }

  /** From now on it is a session to come back to: its log begins with what its owner has not got. */
  #keep(viewer: Viewer): void {
    for (const track of this.tracks) track.base = viewer.acked(track)
    this.#update({ kept: true, base: [this.tracks[0]?.base ?? 0, this.tracks[1]?.base ?? 0] }, true)
  }

  #close(state: SessionState): void {
    this.keyboard.close()
    this.#update({ state }, this.kept)
    this.#watchers.tell()
  }

  #update(change: Partial<Facts>, save = false): void {
    this.#facts = { ...this.#facts, ...change }
    if (save) saveRecord(this.dir, this.#facts)
  }

  /** Looks whether something is over: the viewers' streams, the holder's task, the session itself. */
  #settle(): void {
    this.#watchers.tell()
    if (!this.finished || this.#leaving) return
    this.audience.refreshAll()
    if (this.audience.size > 0 || this.expected !== undefined) return
    if (this.kept) return this.#rest()
    this.#leaving = true
    this.#hooks.forget(this)
  }

  #rest(): void {
    if (!this.#resting) void this.terminal?.rest()
    this.#resting = true
    if (!this.#empty) return
    this.holder?.dismiss()
    this.holder = undefined
  }
}
