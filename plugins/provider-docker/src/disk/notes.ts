import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode } from '../errors.ts'

/** Where something is noted of what has that name, whatever is in it. */
export function noteOf(dataDir: string, kind: string, name: string): string {
  return join(dataDir, kind, createHash('sha256').update(name).digest('hex').slice(0, 16))
}

/** What was found out once. Undefined where nothing was. */
export async function recall(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Whole or not at all. What cannot be kept is found out again. */
export async function note(file: string, text: string): Promise<void> {
  const next = `${file}.${process.pid}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(next, text, { mode: 0o600 })
    await rename(next, file)
  } catch {
    await rm(next, { force: true }).catch(() => undefined)
  }
}
