import type { DiskTree } from '../../../../src/contract/index.ts'
import { isDirectory } from '../../../shared/project.ts'
import type { Meta } from '../meta.ts'
import { beside, copyOf, volumesOf } from '../names.ts'
import { treeName, treesOf } from '../create/project.ts'
import type { Root } from './root.ts'

/** The project's own record of its computer: nothing that goes back in time. */
const RECORD = '.amux'

/** One tree, and where the engine has it. */
export interface Part {
  readonly tree: DiskTree
  readonly mount: { readonly Type: 'bind' | 'volume'; readonly Source: string }
}

/** Everything a checkpoint covers. `based`: a program beside it stands on its image. */
export function diskParts(meta: Meta, root: Root, based: boolean): Part[] {
  const own: Part[] = [
    { tree: { name: 'system', path: `${beside.disk}/system`, at: '/', ...(root.layer && { layer: true, ...(based && { base: '/' }), below: belowOf(meta) }) }, mount: { Type: 'bind', Source: root.path } },
    { tree: { name: 'home', path: `${beside.disk}/home`, at: meta.user.home }, mount: { Type: 'volume', Source: volumesOf(meta.name).home } },
  ]
  // The engine is on this machine where anything of it is mounted.
  const trees = treesOf(meta.project)
  if (meta.copied) return [...own, ...trees.map((path) => copyPart(meta, path))]
  return [...own, ...trees.filter(isDirectory).map((path) => projectPart(meta, path))]
}

/** Another kind of engine has other owners in its layers, and other marks of what they hide. */
function belowOf({ image, ids }: Meta): string {
  return ids === undefined ? `docker:${image}` : `docker-${ids}:${image}`
}

function copyPart({ name, project }: Meta, at: string): Part {
  const tree = treeName(project, at)
  return { tree: { name: tree, path: `${beside.disk}/${tree}`, at, except: [RECORD] }, mount: { Type: 'volume', Source: copyOf(name, tree) } }
}

function projectPart({ project }: Meta, at: string): Part {
  const name = treeName(project, at)
  return { tree: { name, path: `${beside.disk}/${name}`, at, except: [RECORD], shared: true }, mount: { Type: 'bind', Source: at } }
}
