import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, basename } from 'node:path'

export interface AtomicOptions {
  /** Default 0o600. */
  readonly mode?: number
  /** Directories that are missing are made with this. Default 0o700. */
  readonly directoryMode?: number
}

const DRAFT = /\.[0-9a-f]{12}$/
const ABANDONED = 60_000

/** Writes a file so that a reader, or a machine that loses power, finds the old content or the new, never a part. */
export async function writeAtomic(path: string, content: string | Uint8Array, options: AtomicOptions = {}): Promise<void> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: options.directoryMode ?? 0o700 })
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(directory)
  await sweep(directory, basename(path))
}

/** What writers left that were killed half-way. */
async function sweep(directory: string, name: string): Promise<void> {
  const drafts = (await readdir(directory)).filter((other) => other.startsWith(`.${name}.`) && DRAFT.test(other))
  for (const draft of drafts.map((other) => join(directory, other))) {
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > ABANDONED) await rm(draft, { force: true })
  }
}

/** Makes the rename itself durable. Some file systems refuse to sync a directory; the content is whole anyway. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined)
  if (directory === undefined) return
  await directory.sync().catch(() => undefined)
  await directory.close()
}
