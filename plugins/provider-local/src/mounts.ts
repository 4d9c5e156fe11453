import { lstatSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { SYSTEM } from './hidden.ts'
import { inside, type Layout, VAULTS } from './layout.ts'
import type { Meta } from './meta.ts'
import type { Plan } from './plan.ts'
import { projectTrees } from './trees.ts'

/** How what is the user's own is mounted. */
export const PROJECT = 'rec,nosuid,nodev'

const NODES = [
  { name: 'null', minor: 3 },
  { name: 'zero', minor: 5 },
  { name: 'full', minor: 7 },
  { name: 'random', minor: 8 },
  { name: 'urandom', minor: 9 },
] as const

/** Device files that do no harm: made where we may, else borrowed from this machine. */
export function deviceNames(): string[] {
  return [...NODES.map((node) => node.name), 'tty']
}

export function makeNodes(plan: Plan): void {
  for (const node of NODES) plan.step('node', `/dev/${node.name}`, '666', 1, node.minor)
  plan.step('node', '/dev/tty', '666', 5, 0)
}

/** /dev without its nodes: a directory that only looks like root's own, pseudo-terminals of its own. */
export function deviceDirectory(plan: Plan, ptsOptions: string, fill: () => void): void {
  plan.step('mount', 'tmpfs', '/dev', '755', 'nosuid,noexec', 'mode=755,size=1m')
  fill()
  plan.step('mount', 'devpts', '/dev/pts', '755', 'nosuid,noexec', `newinstance,ptmxmode=0666,mode=620${ptsOptions}`)
  plan.step('mount', 'tmpfs', '/dev/shm', '1777', 'nosuid,nodev', 'mode=1777')
  plan.attempt('mount', 'mqueue', '/dev/mqueue', '1777', 'nosuid,nodev,noexec', '')
  const links = { ptmx: 'pts/ptmx', fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' }
  for (const [name, target] of Object.entries(links)) plan.step('link', `/dev/${name}`, target)
}

export interface Taken {
  attach(plan: Plan): void
}

/** Everything of a project, each at its own path. A worktree may be gone meanwhile. */
export function projectMounts(plan: Plan, place: Layout, meta: Meta): Taken {
  const { project } = meta
  const taken = projectTrees(place, meta).map(({ at, source }) => ({ at, slot: at === project?.path ? plan.take(source, PROJECT) : plan.takeIfThere(source, PROJECT) }))
  return {
    attach: (plan) => {
      for (const { at, slot } of taken) if (at === project?.path) plan.step('attach', slot, at)
      else plan.attempt('attach', slot, at)
    },
  }
}

/** The guest's files and the two directories it shares with this machine. */
export function guestMounts(plan: Plan, place: Layout, node: string): Taken {
  const store = plan.take(place.store, 'nosuid,nodev')
  const run = plan.take(place.run, 'nosuid,nodev,noexec')
  const kit = plan.take(place.kit, 'ro,nosuid,nodev')
  const binary = plan.take(node, 'ro,nosuid,nodev')
  return {
    attach: (plan) => {
      plan.step('mount', 'tmpfs', '/run', '755', 'nosuid,nodev', 'mode=755')
      plan.step('dir', '/run/lock', '1777', '', '')
      plan.step('attach', store, inside.store)
      for (const name of VAULTS) plan.step('mask', `${inside.store}/${name}`)
      plan.step('attach', run, inside.run)
      plan.step('attach', kit, inside.kit)
      plan.step('attach', binary, inside.node)
    },
  }
}

/**
 * amux's own directories as far as they would show: through a project's trees that contain them, or in the part of the system
 * that a computer sees. They hold secrets.
 */
export function ownDirectories(dataDir: string, trees: readonly string[], lower = '/'): string[] {
  const seen = [...[...SYSTEM].map((name) => join(lower, name)), ...trees]
  const shown = amuxDirectories(dataDir).filter((path) => seen.some((above) => path === above || path.startsWith(above + sep)))
  return shown.map((path) => (path.startsWith(lower + sep) ? path.slice(lower.length) : path))
}

function amuxDirectories(dataDir: string): string[] {
  const env = process.env
  const home = env['AMUX_HOME']
  const xdg = (name: string, fallback: string) => {
    const value = env[name]
    return join(value !== undefined && isAbsolute(value) ? value : join(env['HOME'] || homedir(), fallback), 'amux')
  }
  const places =
    home !== undefined && home !== ''
      ? ['config', 'data', 'state', 'cache', 'run'].map((name) => join(resolve(home), name))
      : [xdg('XDG_CONFIG_HOME', '.config'), xdg('XDG_DATA_HOME', '.local/share'), xdg('XDG_STATE_HOME', '.local/state'), xdg('XDG_CACHE_HOME', '.cache')]
  return [...new Set([...places, dataDir].flatMap((path) => [path, real(path)]))]
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

export function isRealDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
