import { setTimeout as sleep } from 'node:timers/promises'
import type { Archive, ByteStream, Checkpoints, Computer, ComputerInfo, Files, IdleState, Network, Ports, Process, Services, Sessions, SpawnOptions, Urls } from '../../../src/contract/index.ts'
import { spriteArchive } from './files/archive.ts'
import { spriteCheckpoints } from './checkpoints/checkpoints.ts'
import { type SpriteDocument, checkDocument, infoOf } from './document.ts'
import { fail, hasCode, isLasting, throwIfAborted } from './errors.ts'
import { openExec } from './exec/exec.ts'
import { spriteFiles } from './files/files.ts'
import { idleState } from './idle.ts'
import { spriteNetwork } from './network.ts'
import { spritePorts } from './ports.ts'
import { spriteServices } from './services.ts'
import { spriteSessions } from './sessions/sessions.ts'
import type { Sprite } from './sprite.ts'
import { openTunnel } from './tunnel.ts'
import { spriteUrl } from './url.ts'

/** Until a sprite that was woken, or restarts, answers. */
const WAKING_MS = 120_000
const PAUSE_MS = 500
/** What amux's own server adds to the API. */
const OWN_EXPORT = { fidelity: 'emulated', note: 'by the server, which is amux: local serve' } as const
const DELETE_MS = 120_000
const RESTART_MS = 60_000

export class SpriteComputer implements Computer {
  readonly name: string
  readonly files: Files
  readonly archive: Archive
  readonly sessions: Sessions
  readonly ports: Ports
  readonly checkpoints: Checkpoints
  readonly network: Network
  readonly services: Services
  readonly url: Urls
  readonly #sprite: Sprite

  constructor(sprite: Sprite) {
    this.name = sprite.name
    this.#sprite = sprite
    this.files = spriteFiles(sprite)
    this.archive = spriteArchive(sprite)
    this.sessions = spriteSessions(sprite)
    this.ports = spritePorts(sprite)
    this.checkpoints = spriteCheckpoints(sprite)
    this.network = spriteNetwork(sprite)
    this.services = spriteServices(sprite)
    this.url = spriteUrl(sprite)
  }

  /** Does not wake it: its user is told once it is known. */
  async info(): Promise<ComputerInfo> {
    const { client, known } = this.#sprite
    const document = checkDocument(await client.json<SpriteDocument>('GET', this.#sprite.path()))
    const info = infoOf(document, await known?.catch(() => undefined))
    return client.server.amux ? { ...info, capabilities: { ...info.capabilities, export: OWN_EXPORT } } : info
  }

  async close(): Promise<void> {
    this.#sprite.leave()
  }

  /** A sprite wakes when it is used: so it is used. */
  async start({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await wake(this.#sprite, signal)
  }

  async stop(): Promise<void> {
    const { state } = await this.info()
    throw fail('unsupported', `${this.name} cannot be stopped: sprites hibernate by themselves${state === 'running' ? ' about 30 seconds after their last activity' : ', and this one does'}`, {
      computer: this.name,
      hint: `See what runs on it: amux computer session ls -c ${this.name} -P sprites`,
    })
  }

  async restart({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#sprite.client.json('POST', this.#sprite.path('restart'), { signal, timeout: RESTART_MS })
    await wake(this.#sprite, signal)
  }

  async delete({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    let asked = false
    try {
      // Asked again after a lost answer, it may be gone already: that is what was wanted.
      await this.info()
      asked = true
      await this.#sprite.client.json('DELETE', this.#sprite.path(), { signal, timeout: DELETE_MS })
    } catch (error) {
      if (!asked || !hasCode(error, 'not_found')) throw error
    }
  }

  spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<Process> {
    return openExec(this.#sprite, argv, options)
  }

  tunnel(port: number, options?: { readonly host?: string; readonly signal?: AbortSignal }): Promise<ByteStream> {
    return openTunnel(this.#sprite, port, options)
  }

  idle(): Promise<IdleState> {
    return idleState(this.#sprite)
  }
}

/** Resolves once programs run. A sprite that restarts after a restore refuses them for a while. */
export async function wake(sprite: Sprite, signal: AbortSignal | undefined): Promise<void> {
  for (const end = performance.now() + WAKING_MS; ; ) {
    throwIfAborted(signal)
    try {
      await sprite.facts(signal)
      return void (await sprite.text(['true'], { signal }))
    } catch (error) {
      if (isLasting(error) || !hasCode(error, 'unavailable', 'connection_lost', 'conflict') || performance.now() > end) throw error
      sprite.context.debug(`${sprite.name} does not answer yet: ${String(error)}`)
    }
    await sleep(PAUSE_MS)
  }
}
