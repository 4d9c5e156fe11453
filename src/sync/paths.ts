import { posix } from 'node:path'
import type { FileStat } from '../contract/index.ts'
import { type Sides, mustExist, remoteStat, stripped } from './sides.ts'

/** What is in a directory, or the one thing that is no directory. A link to a directory is one. */
export async function listing(computer: Sides, path: string): Promise<readonly FileStat[]> {
  const found = (await remoteStat(computer, path)) ?? (await mustExist(computer, path))
  if (found.type !== 'directory') return [found]
  return computer.files.list(found.path)
}

/** Where something goes, as `mv` and `cp` have it: into a directory that is there, else to the path itself. */
export async function destination(computer: Sides, from: string, to: string): Promise<string> {
  const there = await remoteStat(computer, to)
  return there?.type === 'directory' ? posix.join(to, posix.basename(stripped(from))) : stripped(to)
}
