import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from '../errors.ts'

/** What was found out once. Undefined where nothing was. */
export async function recall(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** What cannot be kept is found out again. */
export async function note(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    .then(() => writeFile(file, text, { mode: 0o600 }))
    .catch(() => undefined)
}
