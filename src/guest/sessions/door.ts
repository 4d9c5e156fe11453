import { join } from 'node:path'
import type { SessionInfo } from '../../contract/index.ts'
import { type GuestConfig, NEW_PICTURE } from '../../protocol/index.ts'
import { doorName } from '../doors.ts'
import { claim } from '../listen.ts'
import type { DoorListener, Holder } from './holder.ts'
import { statusOf } from './info.ts'
import type { Terminal } from './terminal.ts'
import type { Viewer } from './viewer.ts'

interface House {
  readonly holder: Holder | undefined
  readonly running: boolean
  readonly terminal: Terminal | undefined
  readonly audience: { refresh(viewer: Viewer): void }
  info(): SessionInfo
}

/** The way past the guest that a session's owner may take: see ../native/door.c. */
export class SessionDoor implements DoorListener {
  readonly #house: House
  readonly #config: GuestConfig
  #visitor: Viewer | undefined
  #name = ''
  /** Nobody came in yet. */
  #open = false

  constructor(house: House, config: GuestConfig) {
    this.#house = house
    this.#config = config
  }

  ask(viewer: Viewer): void {
    const { holder, running } = this.#house
    // It did not come after it had asked.
    if (this.#visitor === viewer) return viewer.door(this.#open ? this.#name : undefined)
    if (holder === undefined || !running || !viewer.owner || viewer.waiting) return viewer.door()
    this.#visitor = viewer
    this.#name = doorName()
    holder.openDoor(this.#path)
  }

  waits(path: string): void {
    const visitor = this.#visitor
    // Of one who has left, or before one who came later.
    if (visitor === undefined || path !== this.#path) return
    try {
      claim(path, this.#config)
      this.#open = true
      visitor.door(this.#name)
    } catch {
      this.shut()
      visitor.door()
    }
  }

  entered(offset: number): void {
    this.#open = false
    if (this.#house.terminal !== undefined) this.#visitor?.pass(offset)
  }

  /** Its output comes from here again: from this offset on, or as a new picture. */
  back(viewer: Viewer, offset: bigint): void {
    const { terminal, audience } = this.#house
    this.shut(viewer)
    if (terminal === undefined) return
    if (offset === NEW_PICTURE) return void this.#paint(viewer, terminal)
    viewer.back(Number(offset))
    audience.refresh(viewer)
  }

  /** Whoever it is for leaves it. */
  shut(viewer = this.#visitor): void {
    if (viewer === undefined || viewer !== this.#visitor) return
    this.#visitor = undefined
    this.#open = false
    this.#house.holder?.shutDoor()
  }

  async #paint(viewer: Viewer, terminal: Terminal): Promise<void> {
    viewer.lapse()
    await terminal.paint((bytes, at) => viewer.picture(bytes, at)).catch(() => viewer.seek(undefined))
    const status = statusOf(this.#house.info().state)
    if (status !== undefined) viewer.exit(status)
    this.#house.audience.refresh(viewer)
  }

  get #path(): string {
    return join(this.#config.run, this.#name)
  }
}
