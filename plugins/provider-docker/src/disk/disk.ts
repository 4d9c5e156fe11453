import type { MountSettings } from 'dockerode'
import type { DiskTree } from '../../../../src/contract/index.ts'
import { isDirectory } from '../../../shared/project.ts'
import type { Meta } from '../meta.ts'
import { beside, copyOf, volumesOf } from '../names.ts'
import { treeName, treesOf } from '../create/project.ts'
import type { Root } from './root.ts'

/** The project's own record of its computer: nothing that goes back in time. */
const RECORD = '.amux'

/** What amux puts at the root of a copy, and what no disk holds. */
const NOT_ITS_OWN = [beside.tools, beside.store, '/processes', '/proc', '/sys', '/dev', '/.dockerenv'].map((path) => path.slice(1))

/** One tree, and what the engine mounts there. */
export interface Part {
  readonly tree: DiskTree
  /** Absent: it is the root that the program has anyway. */
  readonly mount?: { readonly Type: 'bind' | 'volume'; readonly Source: string }
}

/** Everything a checkpoint covers. `root`: without, a program beside it stands on a copy of the disk; `based`: with, on its image. */
export function diskParts(meta: Meta, root: Root | undefined, based: boolean): Part[] {
  // On a copy of the disk everything is where it is on the computer.
  const place = (name: string, at: string) => (root ? `${beside.disk}/${name}` : at)
  const own: Part[] = [
    root
      ? { tree: { name: 'system', path: place('system', '/'), at: '/', ...(root.layer && { layer: true, ...(based && { base: '/' }), below: belowOf(meta) }) }, mount: { Type: 'bind', Source: root.path } }
      : // Another name: what was kept as a layer is not to be taken for a whole, nor the other way round.
        { tree: { name: 'system-image', path: '/', at: '/', except: NOT_ITS_OWN } },
    { tree: { name: 'home', path: place('home', meta.user.home), at: meta.user.home }, mount: { Type: 'volume', Source: volumesOf(meta.name).home } },
  ]
  const project = (at: string): Part => {
    const name = treeName(meta.project, at)
    const tree = { name, path: place(name, at), at, except: [RECORD] }
    return meta.copied ? { tree, mount: { Type: 'volume', Source: copyOf(meta.name, name) } } : { tree: { ...tree, shared: true }, mount: { Type: 'bind', Source: at } }
  }
  // The engine is on this machine where anything of it is mounted.
  return [...own, ...treesOf(meta.project).filter((path) => meta.copied || isDirectory(path)).map(project)]
}

/** As a program beside it has them. */
export function mountsOf(parts: readonly Part[], write: boolean): MountSettings[] {
  // An engine would fill an empty volume with what its image has there.
  const empty = { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } }
  return parts.flatMap(({ tree, mount }) => (mount ? [{ ...mount, Target: tree.path, ReadOnly: !write, ...(mount.Type === 'volume' && { VolumeOptions: empty }) }] : []))
}

/** Another kind of engine has other owners in its layers, and other marks of what they hide. */
function belowOf({ image, ids }: Meta): string {
  return ids === undefined ? `docker:${image}` : `docker-${ids}:${image}`
}
