import { fail } from '../errors/index.ts'
import type { Direction } from './transfer.ts'
import type { Here } from './trees/here.ts'
import type { There } from './trees/there.ts'
import { type Survey, type Tree, belongs, splitZero } from './trees/tree.ts'

/** What is at the source, belongs to the project, and is not carried. */
export interface LeftOut {
  readonly path: string
  readonly why: string
}

export interface Gathered {
  /** On either side, or known from before. */
  readonly paths: readonly string[]
  /** Both sides have a git repository. */
  readonly git: boolean
  left(source: Survey): readonly LeftOut[]
}

/** What of the project is on either side, by the rules of the side that has git. */
export async function gatherNames(here: Here, there: There, direction: Direction, known: Iterable<string>, only: readonly string[]): Promise<Gathered> {
  const [mine, its] = await Promise.all([here.names(), there.names()])
  const inside = (path: string) => only.length === 0 || only.some((one) => path === one || path.startsWith(`${one}/`))
  const tidy = (paths: readonly string[]) => [...new Set(paths.map((path) => path.replace(/\/$/u, '')))].filter(inside)
  const ofMine = mine.git || !its.git ? tidy(mine.paths) : await unignored(there, tidy(mine.paths))
  const ofIts = its.git || !mine.git ? tidy(its.paths) : await unignored(here, tidy(its.paths))
  const paths = [...new Set([...ofMine, ...ofIts, ...known])].filter((path) => belongs(path) && inside(path))
  const listed = direction === 'push' ? ofMine : ofIts
  return { paths, git: mine.git && its.git, left: (source) => listed.flatMap((path) => leftOut(path, source)) }
}

function leftOut(path: string, source: Survey): LeftOut[] {
  if (path.includes('\uFFFD')) return [{ path, why: 'its name is no UTF-8' }]
  const type = source.get(path)?.type
  if (type === 'directory') return [{ path, why: 'a repository of its own' }]
  return type === 'other' ? [{ path, why: 'neither a file nor a link' }] : []
}

async function unignored(tree: Tree, paths: readonly string[]): Promise<string[]> {
  const asked = paths.filter(belongs)
  if (asked.length === 0) return []
  const { code, output, said } = await tree.shell('git check-ignore -z --stdin', { input: asked.map((path) => `${path}\0`).join('') })
  if (code !== 0 && code !== 1) throw fail('failed', `git ${tree.where} cannot tell which files it ignores${said === '' ? '' : `: ${said}`}`)
  const ignored = new Set(splitZero(output))
  return asked.filter((path) => !ignored.has(path))
}
