import { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, Computer, ComputerState, GuestKit, GuestPlace } from '../contract/index.ts'
import { fail, hasCode } from '../errors/index.ts'
import { type Hello, PROTOCOL } from '../protocol/index.ts'
import { duplexOf } from '../util/streams.ts'
import { dialUnix } from './client/index.ts'
import { sleptBecause } from './idle.ts'

/** A guest that its computer boots is there within a fraction of this; a computer that stops is so within it. */
const BOOT_MS = 15_000
const BOOT_POLL_MS = 25

export interface ReachOptions {
  readonly kit: GuestKit
  progress(message: string): void
  debug(message: string): void
}

/** The way to one computer's guest: finds it, or brings it. */
export class Reach {
  readonly #computer: Computer
  readonly #options: ReachOptions
  readonly #place: Partial<GuestPlace>
  #start: (() => Promise<void>) | undefined
  /** The guest's socket on this machine, once it was dialled there. */
  unix: string | undefined

  constructor(computer: Computer, options: ReachOptions) {
    this.#computer = computer
    this.#options = options
    this.#place = computer.guest ?? {}
  }

  /** What starts a computer that has stopped by itself. */
  onSlept(start: () => Promise<void>): void {
    this.#start = start
  }

  async dial(): Promise<Duplex> {
    try {
      return await this.#find()
    } catch (error) {
      if (!hasCode(error, 'not_running') || this.#start === undefined || (await sleptBecause(this.#computer)) === undefined) throw error
      this.#options.debug(`${this.#computer.name} stopped by itself just now: starting it`)
      await this.#start()
      return this.#find()
    }
  }

  async #find(): Promise<Duplex> {
    const begun = performance.now()
    for (;;) {
      try {
        return await this.#dial()
      } catch (error) {
        if (!hasCode(error, 'unavailable', 'connection_lost')) throw error
        const verdict = await this.#unlessStopped(error)
        // Somebody else may be starting it this moment, or its supervisor the guest.
        const booting = verdict === error && this.#place.booted === true && performance.now() - begun < BOOT_MS
        if (!booting) throw verdict
      }
      await sleep(BOOT_POLL_MS)
    }
  }

  /**
   * Whether this guest is the one to speak with; `false`: it made way for a newer one, dial again. A guest with living
   * sessions stays, whatever its version.
   */
  async accept(hello: Hello, exit: () => Promise<void>): Promise<boolean> {
    const speaks = hello.protocol.min <= PROTOCOL.max && hello.protocol.max >= PROTOCOL.min
    const current = this.#place.booted === true || hello.version === this.#options.kit.version
    if (speaks && (current || hello.livingSessions > 0)) return true
    if (this.#place.booted !== true && hello.livingSessions === 0) {
      // A session that began this moment keeps its guest.
      const kept = await this.#replace(hello, exit).then(() => false, (error: unknown) => {
        if (speaks && hasCode(error, 'conflict')) return true
        throw error
      })
      return kept
    }
    const older = hello.protocol.max < PROTOCOL.min
    throw fail('conflict', `the guest on ${this.#computer.name} speaks ${older ? 'an older' : 'a newer'} protocol than this amux`, {
      hint: older ? `amux computer restart ${this.#computer.name}` : 'Update amux.',
    })
  }

  async #dial(): Promise<Duplex> {
    if (this.#computer.channel === undefined) return this.#bridge()
    if (this.#place.booted === true) return this.#channel()
    try {
      return await this.#channel()
    } catch (error) {
      if (!hasCode(error, 'unavailable', 'connection_lost', 'not_found')) throw error
      const way = await this.#deliver()
      way?.destroy()
      return this.#channel()
    }
  }

  async #channel(): Promise<Duplex> {
    const channel: Channel | undefined = await this.#computer.channel?.()
    if (channel === undefined) throw fail('unsupported', 'the computer has no channel to its guest')
    if (!('unix' in channel)) return duplexOf(channel)
    this.unix = channel.unix
    return dialUnix(channel.unix)
  }

  async #bridge(): Promise<Duplex> {
    const way = await this.#deliver()
    if (way !== undefined) return way
    const { enterComputer } = await import('./deliver/index.ts')
    const entered = await enterComputer(this.#computer, this.#place, this.#options.kit.version)
    if (entered instanceof Duplex) return entered
    throw fail('unavailable', 'the guest was started and is not there', { source: 'transport' })
  }

  /** The way in when the guest lives already; else it does afterwards. */
  async #deliver(): Promise<Duplex | undefined> {
    const { deliver, enterComputer } = await import('./deliver/index.ts')
    const { kit, progress, debug } = this.#options
    const entered = await enterComputer(this.#computer, this.#place, kit.version)
    if (entered instanceof Duplex) return entered
    debug(`${this.#computer.name}: ${entered.hasKit ? 'starting' : 'delivering'} guest ${kit.version} in ${entered.store}`)
    await deliver(this.#computer, entered, { kit, progress })
    return undefined
  }

  async #replace(hello: Hello, exit: () => Promise<void>): Promise<void> {
    this.#options.debug(`${this.#computer.name}: replacing guest ${hello.version} by ${this.#options.kit.version}`)
    const { endGuest } = await import('./deliver/index.ts')
    await endGuest(this.#computer, hello.pid, exit)
  }

  async #unlessStopped(error: unknown): Promise<unknown> {
    const state = await this.#state()
    if (state === undefined || state === 'running' || state === 'starting') return error
    return fail('not_running', `computer ${this.#computer.name} is ${state}`, { hint: `amux computer start ${this.#computer.name}` })
  }

  async #state(): Promise<ComputerState | undefined> {
    try {
      return (await this.#computer.info()).state
    } catch {
      return undefined
    }
  }
}
