import { setImmediate as nextTurn } from 'node:timers/promises'
import { OWNER_WINDOW, type WireError } from '../../protocol/index.ts'
import type { Holder, Limit } from './holder.ts'
import type { Terminal } from './terminal.ts'
import type { Track } from './track.ts'
import type { Viewer } from './viewer.ts'

/** A terminal's output runs this far ahead of its screen. */
const SCREEN_WINDOW = 512 * 1024

/** The holder need not hear of less: each time it wakes up for it, and may do so at a key's cost. */
const STEP = OWNER_WINDOW / 16

interface Stage {
  readonly tracks: readonly Track[]
  readonly terminal: Terminal | undefined
  /** Its log is kept, whatever was delivered. */
  readonly kept: boolean
  /** Everything was said and done. */
  readonly finished: boolean
  readonly holder: Holder | undefined
  readonly expected: 'owner' | 'viewer' | undefined
}

/** Who looks at a session, and how fast that lets it run. */
export class Audience {
  readonly #stage: Stage
  readonly #viewers = new Set<Viewer>()
  readonly #sent = new Map<number, Limit>()
  readonly #early: { readonly track: Track; readonly offset: number; readonly bytes: Buffer }[] = []
  #owner: Viewer | undefined
  #settling = false

  constructor(stage: Stage) {
    this.#stage = stage
  }

  get size(): number {
    return this.#viewers.size
  }

  get owner(): Viewer | undefined {
    return this.#owner
  }

  [Symbol.iterator](): IterableIterator<Viewer> {
    return this.#viewers.values()
  }

  add(viewer: Viewer, own: boolean): void {
    this.#viewers.add(viewer)
    viewer.sink.onRoom = () => this.refresh(viewer)
    if (!own) return
    this.#owner?.disown()
    this.#owner = viewer
    viewer.owner = true
    this.pace()
  }

  /** `true` when it was the owner. */
  remove(viewer: Viewer): boolean {
    this.#viewers.delete(viewer)
    viewer.close()
    if (this.#owner !== viewer) return false
    this.#owner = undefined
    // Its terminal showed the output until now.
    if (!this.#stage.finished) this.#stage.terminal?.wake()
    return true
  }

  /** What came before the client that started it; where the disk is full it is nowhere else. */
  replay(viewer: Viewer): void {
    for (const { track, offset, bytes } of this.#early.splice(0)) viewer.push(track, offset, bytes)
  }

  /** What is said to it in `work` leaves together. */
  together(work: () => void): void {
    const sinks = [...this.#viewers].map(({ sink }) => sink)
    for (const sink of sinks) sink.hold()
    try {
      work()
    } finally {
      for (const sink of sinks) sink.release()
    }
  }

  push(track: Track, offset: number, bytes: Buffer): void {
    if (this.#stage.expected !== undefined) this.#early.push({ track, offset, bytes })
    for (const viewer of this.#viewers) {
      if (this.#stage.terminal !== undefined && !viewer.owner && !viewer.sink.hasRoom) viewer.lagging = true
      viewer.push(track, offset, bytes)
    }
    this.#followScreen(track)
  }

  grew(track: Track): void {
    for (const viewer of this.#viewers) viewer.catchUp()
    this.#followScreen(track)
  }

  /** Gives a viewer what it can take now, and the end when there is nothing more. */
  refresh(viewer: Viewer): void {
    if (viewer.lagging) void this.#stage.terminal?.paint((bytes, offset) => viewer.lagging && viewer.picture(bytes, offset)).then(() => this.#finish(viewer), () => {})
    else viewer.catchUp()
    this.#finish(viewer)
  }

  refreshAll(): void {
    for (const viewer of this.#viewers) this.refresh(viewer)
  }

  /** The end for everybody; resolves once they were told. */
  async fail(reason: WireError): Promise<void> {
    for (const viewer of this.#viewers) viewer.fail(reason)
    await Promise.all([...this.#viewers].map(({ sink }) => sink.over()))
  }

  /** What holds from the first byte on. */
  begin(): Limit[] {
    const limits = this.#limits()
    for (const limit of limits) this.#sent.set(limit.stream, limit)
    return limits
  }

  /** What the holder may read, stream by stream. */
  #limits(): Limit[] {
    const { tracks, terminal, kept, expected } = this.#stage
    const owned = this.#owner !== undefined || expected === 'owner'
    return tracks.map((track) => {
      const acked = this.#owner?.acked(track) ?? 0
      const window = owned ? acked + OWNER_WINDOW : Infinity
      const end = Math.min(window, terminal === undefined ? Infinity : terminal.parsed + SCREEN_WINDOW)
      return { stream: track.number, end: end === Infinity ? undefined : end, floor: owned && !kept && terminal === undefined ? acked : 0 }
    })
  }

  /** Tells the holder what changed. */
  pace(): void {
    const { holder, finished } = this.#stage
    if (holder === undefined || finished) return
    for (const limit of this.#limits()) {
      const sent = this.#sent.get(limit.stream)
      const end = this.#stage.tracks.find(({ number }) => number === limit.stream)?.end ?? 0
      // Who has come to the end of what it may read waits for every bit more: nothing else may come to tell it.
      const room = (sent?.end ?? Infinity) - end > STEP ? STEP : 1
      if (sent && near(sent.end, limit.end, room) && near(sent.floor, limit.floor, STEP)) continue
      this.#sent.set(limit.stream, limit)
      holder.limit(limit)
    }
  }

  #finish(viewer: Viewer): void {
    const { tracks, finished } = this.#stage
    if (!finished || !viewer.live) return
    viewer.finish({ stdout: tracks[0]?.end ?? 0, stderr: tracks[1]?.end ?? 0 })
  }

  /** Lets a terminal go on as its screen gets there; asked only when it is near its limit. */
  #followScreen(track: Track): void {
    const { terminal } = this.#stage
    if (terminal === undefined || this.#settling) return
    const limit = this.#sent.get(track.number)?.end ?? 0
    if (limit - track.end > SCREEN_WINDOW / 2) return
    this.#settling = true
    void this.#paceBehind(track, terminal)
  }

  async #paceBehind(track: Track, terminal: Terminal): Promise<void> {
    await terminal.settle().catch(() => {})
    await nextTurn()
    this.#settling = false
    this.pace()
    // What came meanwhile may have brought it there, and is all that comes.
    if (!this.#stage.finished && terminal.parsed < track.end) this.#followScreen(track)
  }
}

/** Nearly as far as was said before, and no less far. */
function near(said: number | undefined, now: number | undefined, step: number): boolean {
  return said === now || (said !== undefined && now !== undefined && now > said && now - said < step)
}
