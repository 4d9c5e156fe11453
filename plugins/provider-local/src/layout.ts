import { join } from 'node:path'
import { socketDir } from '../../shared/sockets.ts'

/** Where a computer's things are on this machine. Everything is below `dir`, the sockets excepted. */
export interface Layout {
  readonly name: string
  readonly dir: string
  /** What amux knows about it: no secret. */
  readonly meta: string
  /** Locked for as long as it runs; says which processes it is. */
  readonly lock: string
  readonly log: string
  /** Names its control group, and who froze it. */
  readonly freeze: string
  /** Everything a checkpoint covers. */
  readonly disk: string
  /** Empty; its root file system is put together here, in a mount namespace of its own. */
  readonly root: string
  /** What belongs to amux: guest configuration, sessions, logs, the environment given at creation. */
  readonly store: string
  /** The guest's files it was started with. */
  readonly kit: string
  /** Directory of the guest's sockets, reachable from both sides. */
  readonly run: string
}

/** As the computer sees them. */
export const inside = {
  store: '/run/amux/store',
  run: '/run/amux/run',
  init: '/run/amux/kit/init',
  guest: '/run/amux/kit/guest',
  kit: '/run/amux/kit',
  node: '/run/amux/node',
} as const

/** Directories of the store that are amux's alone: its computer sees them empty. */
export const VAULTS = ['checkpoints', 'network'] as const

export function computersDir(dataDir: string): string {
  return join(dataDir, 'computers')
}

/** `entry`: the directory's own name while it is being made or removed. */
export function layout(dataDir: string, name: string, entry = name): Layout {
  const dir = join(computersDir(dataDir), entry)
  const at = (entry: string) => join(dir, entry)
  return {
    name,
    dir,
    meta: at('meta.json'),
    lock: at('run.lock'),
    log: at('keeper.log'),
    freeze: at('freeze'),
    disk: at('disk'),
    root: at('root'),
    store: at('store'),
    kit: at('kit'),
    run: socketDir(dataDir, name, 'l'),
  }
}
