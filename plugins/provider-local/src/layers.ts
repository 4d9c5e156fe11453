import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Hidden, hiddenEntries } from './hidden.ts'
import type { Layout } from './layout.ts'
import type { Plan } from './plan.ts'

/** Where a machine may have its system on more than one file system. An overlay sees one of them only. */
const SYSTEM_MOUNTS = ['/usr', '/usr/local', '/etc', '/var', '/var/lib', '/var/cache', '/opt', '/nix', '/nix/store', '/gnu', '/gnu/store']

export interface Layer {
  /** Where it is seen. */
  readonly at: string
  readonly lower: string
  readonly upper: string
  readonly work: string
  /** Where it is put together first. */
  readonly view: string
}

/** The layers of a computer over this machine's system, or over another one that is a directory. */
export function layersOf(place: Layout, root: string | undefined): Layer[] {
  const main: Layer = { at: '/', lower: root ?? '/', upper: join(place.disk, 'upper'), work: join(place.disk, 'work'), view: place.root }
  return root === undefined ? [main, ...separateMounts().map((at) => besides(place, at))] : [main]
}

function besides(place: Layout, at: string): Layer {
  const dir = join(place.disk, 'mounts', at.slice(1).replaceAll('/', '-'))
  return { at, lower: at, upper: join(dir, 'upper'), work: join(dir, 'work'), view: join(place.dir, 'views', at.slice(1).replaceAll('/', '-')) }
}

function separateMounts(): string[] {
  const mounted = new Set(readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1]))
  return SYSTEM_MOUNTS.filter((path) => mounted.has(path) && existsSync(path))
}

/** Mounts each at its view; returns what puts them in place after the pivot. */
export function mountLayers(plan: Plan, layers: readonly Layer[], options: string): () => void {
  const hidden = layers[0]?.lower === '/' ? hiddenEntries() : []
  for (const { upper, work, view, at } of layers) {
    if (at !== '/') for (const path of [upper, work, view]) plan.step('dir', path, '755', '', '')
  }
  for (const entry of hidden) hide(plan, layers, entry)
  for (const { lower, upper, work, view } of layers) plan.step('overlay', lower, upper, work, view, options)
  const slots = layers.slice(1).map(({ view, at }) => ({ at, slot: plan.take(view, '') }))
  return () => {
    for (const { slot, at } of slots) plan.step('attach', slot, at)
  }
}

/** By the layer that the entry is on. */
function hide(plan: Plan, layers: readonly Layer[], { path, empty }: Hidden): void {
  const on = layers.findLast(({ at }) => at === '/' || `/${path}`.startsWith(`${at}/`))
  if (on === undefined) return
  const below = on.at === '/' ? path : `/${path}`.slice(on.at.length + 1)
  plan.step('hide', on.upper, on.lower, below, empty?.mode.toString(8) ?? '', empty?.uid ?? 0, empty?.gid ?? 0)
}
