import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { DiskTree } from '../../../src/contract/index.ts'
import { type Layer, layersOf } from './layers.ts'
import type { Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { treesOf } from './mounts.ts'

/** Directories of the unprivileged tier's disk, and where programs see them. */
export const DURABLE = { tmp: '/tmp', vartmp: '/var/tmp' } as const

/** The project's own record of its computer: nothing that goes back in time. */
const RECORD = '.amux'

/** Everything a checkpoint covers, as a program aside finds it. */
export function diskTrees(place: Layout, meta: Meta): DiskTree[] {
  const own = meta.tier === 'root' ? layersOf(place, meta.root).filter(({ upper }) => existsSync(upper)).map((layer) => layerTree(place, layer)) : directories(meta)
  return [...own, ...projectTrees(meta)]
}

function layerTree(place: Layout, layer: Layer): DiskTree {
  return { name: layerName(layer), path: join('/disk', layer.upper.slice(place.disk.length)), at: layer.at, layer: true, base: baseOf(layer) }
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

/** Each at a place that does not depend on which others there are at the moment. One inside another is part of that. */
export function projectTrees({ project }: Meta): DiskTree[] {
  const found: string[] = []
  for (const path of treesOf(project)) if (isDirectory(path) && !found.some((above) => path.startsWith(above + sep))) found.push(path)
  // The project itself is one even inside a worktree.
  if (project && isDirectory(project.path) && !found.includes(project.path)) found.push(project.path)
  return found.map((at) => {
    const name = at === project?.path ? 'workspace' : `worktree-${createHash('sha256').update(at).digest('hex').slice(0, 8)}`
    return { name, path: join('/workspace', name), at, except: [RECORD], shared: true }
  })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
