import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pack } from './pack.ts'
import { type Change, type Pair, type Side, untouched } from './plan.ts'
import { type CopyOptions, type Sides, counted } from './sides.ts'
import type { Here } from './trees/here.ts'
import type { There } from './trees/there.ts'
import { type Seen, type Tree, survey } from './trees/tree.ts'
import { unpack } from './unpack.ts'

export type Direction = 'push' | 'pull'

export interface Ends {
  readonly computer: Sides
  readonly here: Here
  readonly there: There
  readonly direction: Direction
}

/** A file that was not carried over because somebody is at work on it. */
export interface Unsettled {
  readonly path: string
  readonly side: 'source' | 'target'
}

export interface Transferred {
  readonly copied: ReadonlyMap<string, Pair>
  readonly removed: readonly string[]
  readonly unsettled: readonly Unsettled[]
}

/**
 * All files in one stream, into a directory aside. Only those that arrived as they were at the source, and whose places at
 * the target are still as planned, are then put there, each one whole.
 */
export async function transfer(ends: Ends, changes: readonly Change[], source: Side, target: Side, options: CopyOptions): Promise<Transferred> {
  const [from, to]: [Tree, Tree] = ends.direction === 'push' ? [ends.here, ends.there] : [ends.there, ends.here]
  const stage = `${ends.here.scratch}/files-${randomBytes(4).toString('hex')}`
  const paths = changes.filter(({ action }) => action !== 'remove').map(({ path }) => path)
  const leaving = changes.filter(({ action }) => action === 'remove').map(({ path }) => path)
  const [gone, content] = await Promise.all([from.gone(leaving), contents(from, paths, source)])
  if (paths.length > 0) await carry(ends, stage, paths, options)
  const [arrived, now] = await Promise.all([arrivals(to, stage, paths, source, content), survey(to, [...paths, ...leaving])])
  const free = (path: string) => untouched(now.get(path), target.seen.get(path))
  const removed = leaving.filter((path) => gone.has(path) && free(path))
  const placed = paths.filter((path) => arrived.whole.has(path) && free(path))
  await to.remove([...removed, ...arrived.all.filter((path) => !placed.includes(path)).map((path) => `${stage}/${path}`)])
  if (placed.length > 0) await to.place(stage, placed)
  const after = await survey(to, placed)
  const copied = placed.map((path) => [path, pairOf(source.seen.get(path), arrived.whole.get(path), after.get(path), content.get(path))] as const)
  return { copied: new Map(copied.flatMap(([path, pair]) => (pair ? [[path, pair] as const] : []))), removed, unsettled: [...unsettled(leaving, gone, free), ...unsettled(paths, arrived.whole, free)] }
}

async function carry({ computer, here, there, direction }: Ends, stage: string, paths: readonly string[], options: CopyOptions): Promise<void> {
  const { signal } = options
  if (direction === 'push') return computer.archive.write(`${there.root}/${stage}`, counted(pack(here.root, paths), options), { signal })
  await there.gather(stage, paths)
  await mkdir(join(here.root, stage), { recursive: true })
  return unpack(join(here.root, stage), counted(computer.archive.read(`${there.root}/${stage}`, { signal }), options), { signal })
}

async function contents(tree: Tree, paths: readonly string[], { seen, content }: Side): Promise<ReadonlyMap<string, string>> {
  const missing = paths.filter((path) => seen.get(path)?.type === 'file' && !content.has(path))
  return new Map([...content, ...(await tree.digest(missing))])
}

interface Arrivals {
  readonly all: readonly string[]
  readonly whole: ReadonlyMap<string, Seen>
}

async function arrivals(tree: Tree, stage: string, paths: readonly string[], source: Side, content: ReadonlyMap<string, string>): Promise<Arrivals> {
  const files = paths.filter((path) => source.seen.get(path)?.type === 'file')
  const [found, digests] = await Promise.all([tree.look(paths.map((path) => `${stage}/${path}`)), tree.digest(files.map((path) => `${stage}/${path}`))])
  const whole = new Map<string, Seen>()
  for (const path of paths) {
    const [sent, got] = [source.seen.get(path), found.get(`${stage}/${path}`)]
    if (!sent || got?.type !== sent.type) continue
    const equal = sent.type === 'link' ? sent.target === got.target : content.has(path) && content.get(path) === digests.get(`${stage}/${path}`)
    if (equal) whole.set(path, got)
  }
  return { all: paths.filter((path) => found.has(`${stage}/${path}`)), whole }
}

/** One that was changed in its new place at once is remembered as it arrived: the change is seen next time. */
function pairOf(sent: Seen | undefined, arrived: Seen | undefined, after: Seen | undefined, content: string | undefined): Pair | undefined {
  if (!sent || !arrived) return undefined
  const { ctime: _, ...still } = arrived
  const target = after && after.mtime === arrived.mtime && after.size === arrived.size ? after : still
  return { source: sent, target, ...(content !== undefined && sent.type === 'file' && { content }) }
}

function unsettled(paths: readonly string[], fine: { has(path: string): boolean }, free: (path: string) => boolean): Unsettled[] {
  return paths.flatMap((path): Unsettled[] => {
    if (!free(path)) return [{ path, side: 'target' }]
    return fine.has(path) ? [] : [{ path, side: 'source' }]
  })
}
