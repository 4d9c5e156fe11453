import type { ContainerInspectInfo } from 'dockerode'
import type { DiskTree } from '../../../../src/contract/index.ts'
import { isDirectory } from '../../../shared/project.ts'
import { fail } from '../errors.ts'
import type { Meta } from '../meta.ts'
import { beside, copyOf, volumesOf } from '../names.ts'
import { treeName, treesOf } from '../create/project.ts'

/** The project's own record of its computer: nothing that goes back in time. */
const RECORD = '.amux'

/** One tree, and where the engine has it. */
export interface Part {
  readonly tree: DiskTree
  readonly mount: { readonly Type: 'bind' | 'volume'; readonly Source: string }
}

/** The engine's directory of what a container wrote over its image. Undefined where it keeps that otherwise. */
export function layerOf({ GraphDriver: driver }: Pick<ContainerInspectInfo, 'GraphDriver'>): string | undefined {
  // Engines that keep containers elsewhere say nothing here.
  const data: Readonly<Record<string, unknown>> = driver?.Name === 'overlay2' ? driver.Data : {}
  const upper = data['UpperDir']
  return typeof upper === 'string' && upper.startsWith('/') ? upper : undefined
}

/** Everything a checkpoint covers. `based`: a program beside it stands on its image. */
export function diskParts(meta: Meta, found: Pick<ContainerInspectInfo, 'GraphDriver'>, based: boolean): Part[] {
  const upper = layerOf(found)
  if (upper === undefined) throw fail('unsupported', `what is on the disk of ${meta.name} cannot be reached from outside: ${noLayer(found)}`, { computer: meta.name })
  const own: Part[] = [
    { tree: { name: 'system', path: `${beside.disk}/system`, at: '/', layer: true, ...(based && { base: '/' }), below: `docker:${meta.image}` }, mount: { Type: 'bind', Source: upper } },
    { tree: { name: 'home', path: `${beside.disk}/home`, at: meta.user.home }, mount: { Type: 'volume', Source: volumesOf(meta.name).home } },
  ]
  // The engine is on this machine where anything of it is mounted.
  const trees = treesOf(meta.project)
  if (meta.copied) return [...own, ...trees.map((path) => copyPart(meta, path))]
  return [...own, ...trees.filter(isDirectory).map((path) => projectPart(meta, path))]
}

export function noLayer({ GraphDriver: driver }: Pick<ContainerInspectInfo, 'GraphDriver'>): string {
  return `its engine keeps containers by ${driver?.Name ?? 'an unknown driver'}, not overlay2`
}

function copyPart({ name, project }: Meta, at: string): Part {
  const tree = treeName(project, at)
  return { tree: { name: tree, path: `${beside.disk}/${tree}`, at, except: [RECORD] }, mount: { Type: 'volume', Source: copyOf(name, tree) } }
}

function projectPart({ project }: Meta, at: string): Part {
  const name = treeName(project, at)
  return { tree: { name, path: `${beside.disk}/${name}`, at, except: [RECORD], shared: true }, mount: { Type: 'bind', Source: at } }
}
