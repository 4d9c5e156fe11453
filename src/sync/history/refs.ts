import type { Refs } from '../memory.ts'
import type { Tree } from '../trees/tree.ts'

const READ = `git for-each-ref --format='%(refname) %(objectname)' refs/heads refs/tags || exit
printf 'HEAD '; git symbolic-ref -q HEAD || git rev-parse -q --verify HEAD || echo`

const NAME = /^refs\/(heads|tags)\/[^\s~^:?*[\\]+$/u
const OBJECT = /^([0-9a-f]{40}|[0-9a-f]{64})$/u

/** Branches, tags and HEAD. Undefined where git does not say. Nothing else of what it says is believed. */
export async function readRefs(tree: Tree): Promise<Refs | undefined> {
  const { code, output } = await tree.shell(READ)
  if (code !== 0) return undefined
  const refs = output.toString('utf8').split('\n').map((line) => line.split(' ') as [string, string?])
  return Object.fromEntries(refs.filter(([name, value = '']) => (name === 'HEAD' ? isHead(value) : NAME.test(name) && OBJECT.test(value))).map(([name, value = '']) => [name, value]))
}

/** Branches that other worktrees of this repository are on: moved under them, their files would seem changed. */
export async function readBusy(tree: Tree): Promise<ReadonlySet<string>> {
  const { code, output } = await tree.shell('git worktree list --porcelain')
  const [, ...others] = code === 0 ? output.toString('utf8').split('\n\n') : []
  return new Set(others.flatMap((block) => /^branch (.+)$/mu.exec(block)?.[1] ?? []))
}

function isHead(value: string): boolean {
  return OBJECT.test(value) || (value.startsWith('refs/heads/') && NAME.test(value))
}
