import { spawn } from 'node:child_process'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, normalise } from '../errors/index.ts'

/** What of a project goes to a computer, relative to its root: tracked and unignored files, and `.git` as a whole. */
export async function projectFiles(root: string, signal: AbortSignal): Promise<string[]> {
  const own = (await readdir(root)).filter((name) => name !== '.amux')
  if (!own.includes('.git')) return own
  const listed = await gitFiles(root, signal)
  const there = await Promise.all(listed.map(async (file) => ((await exists(join(root, file))) ? file : undefined)))
  return ['.git', ...there.filter((file) => file !== undefined && !file.startsWith('.amux/')).map(String)]
}

/** Tracked files that were deleted are listed too. */
async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** Tracked and unignored files. Repositories of their own inside end in a slash, or are directories. */
export async function gitFiles(root: string, signal: AbortSignal): Promise<string[]> {
  const git = spawn('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    git.once('error', reject)
    git.once('close', resolve)
  })
  try {
    const [names, problem, status] = await Promise.all([text(git.stdout), text(git.stderr), ended])
    if (status !== 0) throw fail('failed', `git cannot list the files of ${root}: ${problem.trim()}`)
    return names.split('\0').filter((name) => name !== '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw fail('tool_missing', `git is needed to tell which files of ${root} belong to the project`, { hint: 'Install git.' })
    }
    throw signal.aborted ? signal.reason : normalise(error)
  }
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
