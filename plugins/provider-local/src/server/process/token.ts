import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { fail, hasCode } from '../../errors.ts'

/** The server's token from its file; the file is made when there is none. `permission_denied` when others could read it. */
export async function tokenOf(file: string): Promise<string> {
  // Four parts: the form of the service's own, which some clients take apart.
  const fresh = `local/local/1/${randomBytes(32).toString('base64url')}`
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.writeFile(`${fresh}\n`)
    await handle.sync()
    await handle.close()
    return fresh
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw fail('invalid_argument', `the token file ${file} cannot be made: ${String(error)}`, { source: 'amux' })
  }
  if (((await stat(file)).mode & 0o077) !== 0) throw fail('permission_denied', `others can read the token file ${file}`, { hint: `chmod 600 ${file}`, source: 'amux' })
  const token = (await readFile(file, 'utf8')).trim()
  if (/^[\x21-\x7e]{8,4096}$/.test(token)) return token
  throw fail('invalid_argument', `the token file ${file} holds no token: one line of 8 or more printable characters`, { hint: 'Remove it, and a new one is made.', source: 'amux' })
}
