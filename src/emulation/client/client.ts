import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Archive, ByteStream, Files, IdleState, Ports, Services, Sessions, SpawnOptions } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { type Hello, Path } from '../../protocol/index.ts'
import type { GuestAttachment } from './attachment.ts'
import { deferred } from '../../util/deferred.ts'
import { Calls } from './calls.ts'
import { Connection, type Headers } from './connection.ts'
import { guestArchive } from './archive.ts'
import { guestFiles } from './files.ts'
import type { CallHost, SessionHost } from './host.ts'
import { nativeSocket } from './native.ts'
import { guestPorts } from './ports.ts'
import { listenOn } from './listen.ts'
import { guestServices } from './services.ts'
import { guestSessions, spawnTied } from './sessions.ts'
import { openTunnel, type TunnelOptions } from './tunnel.ts'
import { DirectTunnels, type DirectWay } from './tunnels.ts'

export interface GuestClientOptions {
  /** A new byte stream to the guest. Rejects with `unavailable` when trying again may help. */
  readonly dial: (signal?: AbortSignal) => Promise<Duplex>
  /** Looks at the guest of each new connection; `false`: dial again. */
  readonly accept?: (hello: Hello, exit: () => Promise<void>) => Promise<boolean>
  /** Its `direct.sock`, where that is on this machine. */
  readonly direct?: () => string | undefined
  /** Only this start of the guest will do: anything else answers `conflict`. */
  readonly nonce?: string
  /** Milliseconds awake that a lost connection is tried again. */
  readonly patience?: number
  readonly provider?: string
  readonly computer?: string
  readonly onConnection?: SessionHost['onConnection']
}

const MAX_DIALS = 3
const PATIENCE_MS = 10 * 60_000
const GOODBYE_MS = 1000

/** Speaks with one guest. Connects when first used, and again when the connection was lost. */
export class GuestClient implements CallHost {
  readonly headers: Headers
  readonly patience: number
  readonly provider: string | undefined
  readonly computer: string | undefined
  readonly onConnection: SessionHost['onConnection']
  readonly sessions: Sessions
  readonly files: Files
  readonly archive: Archive
  readonly ports: Ports
  readonly services: Services
  readonly #calls: Calls
  readonly #dial: GuestClientOptions['dial']
  readonly #accept: GuestClientOptions['accept']
  readonly #direct: GuestClientOptions['direct']
  readonly #tunnels = new DirectTunnels()
  #way: DirectWay | undefined
  #connection: Connection | undefined
  #dialling: Promise<Connection> | undefined
  #closed = false

  constructor(options: GuestClientOptions) {
    this.#dial = options.dial
    this.#accept = options.accept
    this.#direct = options.direct
    this.headers = options.nonce === undefined ? {} : { 'amux-nonce': options.nonce }
    this.patience = options.patience ?? PATIENCE_MS
    this.provider = options.provider
    this.computer = options.computer
    this.onConnection = options.onConnection
    this.#calls = new Calls(this)
    this.sessions = guestSessions(this, this.#calls)
    this.files = guestFiles(this.#calls)
    this.archive = guestArchive(this.#calls, async (signal) => {
      await this.connection(signal)
      return this.doorway()
    })
    this.ports = guestPorts(this.#calls)
    this.services = guestServices(this, this.#calls)
  }

  /** Ends with the connection, tree and all. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<GuestAttachment> {
    return spawnTied(this, argv, options)
  }

  listen(path: string, options?: { readonly mode?: number; readonly signal?: AbortSignal }): Promise<AsyncIterable<ByteStream>> {
    return listenOn(this, this.#calls, path, options)
  }

  async tunnel(port: number, options: TunnelOptions = {}): Promise<ByteStream> {
    if (options.signal?.aborted === true) throw normalise(options.signal.reason)
    await this.connection(options.signal)
    const direct = this.#way && (await this.#tunnels.open(this, this.#way, port, options))
    return direct ?? openTunnel(this, this.#calls, port, options)
  }

  idle(): Promise<IdleState> {
    return this.#calls.get<IdleState>(Path.idle, (value) => 'because' in value)
  }

  /** Milliseconds; undefined: it never stops by itself. */
  async idleStop(after: number | undefined): Promise<void> {
    await this.#calls.send('PUT', Path.idleStop, { body: { after: after ?? null } })
  }

  /** What sessions will say that end from now on. */
  async announce(reason: 'restored', signal?: AbortSignal): Promise<void> {
    await this.#calls.send('POST', Path.ending, { body: { reason }, signal })
  }

  /** Of the guest that was met last. */
  doorway(): string | undefined {
    return this.#way?.doors === true ? dirname(this.#way.socket) : undefined
  }

  hello(signal?: AbortSignal): Promise<Hello> {
    return sayHello(this.#calls, signal)
  }

  async connection(signal?: AbortSignal): Promise<Connection> {
    if (this.#closed) throw fail('aborted', 'the connection to the computer was closed', { computer: this.computer })
    if (this.#connection !== undefined && !this.#connection.lost) return this.#connection
    this.#dialling ??= this.#connect().finally(() => (this.#dialling = undefined))
    return untilAborted(this.#dialling, signal)
  }

  /** Drops the connection; the next use makes a new one. */
  reset(): void {
    this.#connection?.destroy()
    this.#connection = undefined
    this.#tunnels.close()
  }

  /** After something that may have replaced the guest: a connection nobody uses is not worth keeping. */
  refresh(): void {
    if (this.#connection?.unused === true && this.#tunnels.unused) this.reset()
  }

  /** Lets the goodbyes out before it closes: without them the guest must keep what a lost client could come back for. */
  async finish(limitMs = GOODBYE_MS): Promise<void> {
    this.#closed = true
    const late = deferred()
    const limit = setTimeout(late.resolve, limitMs)
    await Promise.race([Promise.all([this.#connection?.finish(), this.#tunnels.finish()]), late.promise])
    clearTimeout(limit)
    this.reset()
  }

  /** Frees everything. What is tied to this client ends, sessions go on. */
  close(): void {
    this.#closed = true
    this.reset()
  }

  /** Shared by all who wait, so no single one's signal ends it. */
  async #connect(): Promise<Connection> {
    const details = this.#names()
    try {
      for (let tries = 0; tries < MAX_DIALS; tries++) {
        const below = await this.#dial()
        const connection = new Connection(await nativeSocket(below), details)
        below.on('error', (error) => connection.blame(error))
        if (this.#closed) connection.destroy()
        if (await this.#accepted(connection)) return (this.#connection = connection)
        connection.destroy()
      }
    } catch (error) {
      throw normalise(error, details)
    }
    throw fail('unavailable', 'the guest is being replaced again and again', details)
  }

  async #accepted(connection: Connection): Promise<boolean> {
    if (this.#accept === undefined) return true
    const calls = new Calls({ ...this.#names(), headers: {}, patience: 0, connection: () => Promise.resolve(connection) })
    const exit = async () => void (await calls.send('POST', Path.exit))
    try {
      const hello = await sayHello(calls)
      const socket = hello.directTunnels === true ? this.#direct?.() : undefined
      this.#way = socket === undefined ? undefined : { socket, nonce: hello.nonce, doors: hello.doors === true }
      return await this.#accept(hello, exit)
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  #names() {
    return { provider: this.provider, computer: this.computer }
  }
}

function sayHello(calls: Calls, signal?: AbortSignal): Promise<Hello> {
  return calls.get<Hello>(Path.hello, (value) => 'protocol' in value && 'version' in value && 'nonce' in value, { signal })
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  if (signal.aborted) return Promise.reject(normalise(signal.reason))
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(normalise(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
