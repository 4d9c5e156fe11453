import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fail } from './errors.ts'

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

/** A socket's address holds 108 bytes; this leaves room for its name. */
const LONGEST_RUN = 90

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
    run: runDir(dataDir, name),
  }
}

/** Beside the disks, which outlive a login, unlike the runtime directory; elsewhere when that path is too long. */
function runDir(dataDir: string, name: string): string {
  const short = createHash('sha256').update(join(dataDir, name)).digest('hex').slice(0, 8)
  const near = join(dataDir, 'r', short)
  return Buffer.byteLength(near) <= LONGEST_RUN ? near : join(`/tmp/amux-${process.getuid?.() ?? 0}`, 'l', short)
}

/** Makes the directories a socket may be in, each of them ours alone. */
export function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const parent = dirname(path)
  for (const each of [parent, path]) {
    const stat = lstatSync(each)
    if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) continue
    throw fail('permission_denied', `${each} is not a private directory of yours`, { hint: `Remove it, or make it yours: chmod 700 ${each}` })
  }
}

const NAME = /^[a-z][a-z0-9-]{0,54}$/

export function checkName(name: string): void {
  if (NAME.test(name)) return
  throw fail('invalid_argument', `${JSON.stringify(name)} is not a computer's name`, {
    hint: 'A name begins with a letter and has at most 55 letters a-z, digits and dashes.',
    source: 'amux',
  })
}
