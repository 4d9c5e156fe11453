import { randomUUID } from 'node:crypto'
import { type GuestConfig, type Hello, PROTOCOL } from '../protocol/index.ts'
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
  /** Ends the process once the answer is out. */
  readonly exit: () => void

  constructor(config: GuestConfig, exit: () => void) {
    this.config = config
    this.engine = new SessionEngine(config, { createScreen })
    this.services = new ServiceManager(config, { createScreen })
    this.exit = exit
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
    }
  }
}
