import { posix } from 'node:path'
import type { DiskTree } from '../../contract/index.ts'

/**
 * One tree of a checkpoint that came from elsewhere. `at`: it is a directory inside one of this computer's trees; without,
 * it is one of them.
 */
export interface Part {
  readonly name: string
  readonly at?: string
}

export interface PartTree extends DiskTree {
  readonly inner?: boolean
}

/** The trees such a checkpoint is restored to; of others, all there are. */
export function partTrees(trees: readonly DiskTree[], parts: readonly Part[] | undefined): readonly PartTree[] {
  if (parts === undefined) return trees
  const own = trees.filter(({ name }) => parts.some((part) => part.name === name && part.at === undefined))
  const inner = parts.flatMap(({ name, at }) => (at === undefined ? [] : innerTree(trees, name, at)))
  const all = [...own, ...inner]
  return all.map((tree) => {
    const inside = inner.filter((one) => one.name !== tree.name && posix.dirname(one.at) === tree.at).map(({ at }) => posix.basename(at))
    return inside.length === 0 ? tree : { ...tree, except: [...(tree.except ?? []), ...inside] }
  })
}

function innerTree(trees: readonly DiskTree[], name: string, at: string): PartTree[] {
  const outer = around(trees, at)
  if (outer === undefined) return []
  const way = within(outer.at, at) ?? ''
  const { layer, base } = outer
  return [{ name, path: posix.join(outer.path, way), at, inner: true, ...(layer && { layer }), ...(base !== undefined && { base: posix.join(base, way) }) }]
}

/** The one that a path is in. */
export function around<T extends { readonly at: string }>(trees: readonly T[], path: string): T | undefined {
  return trees.filter(({ at }) => within(at, path) !== undefined).toSorted((a, b) => b.at.length - a.at.length)[0]
}

/** The way from a directory down to a path; undefined when it does not lead down. */
export function within(above: string, path: string): string | undefined {
  const way = posix.relative(above, path)
  return way === '..' || way.startsWith('../') ? undefined : way
}
