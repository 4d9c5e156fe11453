import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { DiskTree } from '../../../src/contract/index.ts'
import { type Layer, layersOf } from './layers.ts'
import type { Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { apartTrees } from './trees.ts'

/** Directories of the unprivileged tier's disk, and where programs see them. */
export const DURABLE = { tmp: '/tmp', vartmp: '/var/tmp' } as const

/** The project's own record of its computer: nothing that goes back in time. */
const RECORD = '.amux'

/** Everything a checkpoint covers, as a program aside finds it. */
export function diskTrees(place: Layout, meta: Meta): DiskTree[] {
  const own = meta.tier === 'root' ? layersOf(place, meta.root).filter(({ upper }) => existsSync(upper)).map((layer) => layerTree(place, layer, meta)) : directories(meta)
  return [...own, ...projectDisk(place, meta).map(({ tree }) => tree)]
}

function layerTree(place: Layout, layer: Layer, { root }: Meta): DiskTree {
  return { name: layerName(layer), path: join('/disk', layer.upper.slice(place.disk.length)), at: layer.at, layer: true, base: baseOf(layer), below: belowOf(layer, root) }
}

/** This machine's system, or a directory of it; upgraded it is still the same. Nothing can be told of the machine by it. */
function belowOf({ at }: Layer, root: string | undefined): string {
  const machine = createHash('sha256').update(`amux ${machineId()} ${root ?? '/'} ${at}`).digest('hex').slice(0, 32)
  return `local:${machine}`
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || hostname()
  } catch {
    return hostname()
  }
}

function layerName({ at }: Layer): string {
  return at === '/' ? 'system' : `system${at.replaceAll('/', '-')}`
}

export function baseOf(layer: Layer): string {
  return join('/base', layerName(layer))
}

function directories({ user }: Meta): DiskTree[] {
  return [
    { name: 'home', path: '/disk/home', at: user.home },
    { name: 'tmp', path: '/disk/tmp', at: DURABLE.tmp },
    { name: 'var-tmp', path: '/disk/vartmp', at: DURABLE.vartmp },
  ]
}

/** Each at a place that does not depend on which others there are at the moment. */
export function projectDisk(place: Layout, meta: Meta): { readonly tree: DiskTree; readonly source: string }[] {
  return apartTrees(place, meta).map(({ name, at, source }) => ({
    tree: { name, path: meta.copied ? join('/disk/trees', name) : join('/workspace', name), at, except: [RECORD], ...(!meta.copied && { shared: true }) },
    source,
  }))
}
