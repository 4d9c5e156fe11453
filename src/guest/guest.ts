import { randomUUID } from 'node:crypto'
import type { IdleState } from '../contract/index.ts'
import { type GuestConfig, type Hello, PROTOCOL } from '../protocol/index.ts'
import { Clients } from './clients.ts'
import { heldFromOutside } from './idle/held.ts'
import { Setting } from './idle/setting.ts'
import { Stopper } from './idle/stopper.ts'
import { IdleTracker, type Tunnel } from './idle/tracker.ts'
import { PortWatch } from './ports/watch.ts'
import { Rest } from './rest.ts'
import { createScreen } from './screen/index.ts'
import { ServiceManager } from './services/index.ts'
import { SessionEngine } from './sessions/index.ts'

/** What the handlers share: one per process. */
export class Guest {
  readonly config: GuestConfig
  readonly engine: SessionEngine
  readonly services: ServiceManager
  /** New at every start. */
  readonly nonce: string = randomUUID()
  readonly tunnels: Set<Tunnel> = new Set()
  readonly ports: PortWatch = new PortWatch()
  readonly idle: IdleTracker = new IdleTracker()
  readonly rest: Rest = new Rest()
  readonly clients: Clients = new Clients(() => this.idle.touch())
  readonly stopper: Stopper
  /** Takes the sockets out of sight, until what it returns is called. */
  hide: () => () => void = () => () => undefined
  /** Ends the process once the answer is out. */
  readonly exit: () => void

  constructor(config: GuestConfig, exit: () => void) {
    this.config = config
    this.engine = new SessionEngine(config, { createScreen })
    this.services = new ServiceManager(config, { createScreen })
    this.exit = exit
    this.stopper = new Stopper({
      setting: new Setting(config),
      state: (window) => this.state(window),
      touch: () => this.idle.touch(),
      hide: () => this.hide(),
      end: () => process.kill(process.ppid, 'SIGTERM'),
    })
  }

  /** Whether it works, and what keeps it from stopping though it does not. `asking`: how many clients do not count. */
  async state(window: number, asking = 0): Promise<IdleState> {
    const held = await heldFromOutside(await this.ports.list())
    if (held.length > 0) this.idle.touch()
    const state = await this.idle.state(() => this.engine.list(), this.tunnels, window)
    const clients = this.clients.count - asking
    const all = [...(clients > 0 ? [clients === 1 ? 'a client is connected' : `${clients} clients are connected`] : []), ...held]
    return { ...state, ...(all.length > 0 && { held: all }) }
  }

  hello(): Hello {
    const { version, user, workspace } = this.config
    return {
      protocol: PROTOCOL,
      version,
      nonce: this.nonce,
      pid: process.pid,
      node: process.version,
      arch: process.arch,
      user,
      ...(workspace !== undefined && { workspace }),
      users: process.getuid?.() === 0,
      livingSessions: this.engine.living,
      directTunnels: true,
      doors: true,
    }
  }
}
