import { randomUUID } from 'node:crypto'
import type { SessionInfo } from '../contract/index.ts'
import { type GuestConfig, type Hello, PROTOCOL } from '../protocol/index.ts'
import { IdleTracker, type Tunnel } from './idle/tracker.ts'
import { PortWatch } from './ports/watch.ts'

/** What the handlers share: one per process. */
export class Guest {
  readonly config: GuestConfig
  /** New at every start. */
  readonly nonce: string = randomUUID()
  readonly tunnels: Set<Tunnel> = new Set()
  readonly ports: PortWatch = new PortWatch()
  readonly idle: IdleTracker = new IdleTracker()
  /** Ends the process once the answer is out. */
  readonly exit: () => void

  constructor(config: GuestConfig, exit: () => void) {
    this.config = config
    this.exit = exit
  }

  sessions(): readonly SessionInfo[] {
    return []
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
      livingSessions: this.living,
    }
  }

  get living(): number {
    return this.sessions().filter(({ state }) => state.status === 'running').length
  }
}
