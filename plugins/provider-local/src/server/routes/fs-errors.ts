import type { ServerResponse } from 'node:http'
import { posix } from 'node:path'
import type { Files } from '../../../../../src/contract/index.ts'
import { type Call, json } from '../http/call.ts'
import { answerTo, codeOf } from '../http/errors.ts'
import { linger } from '../http/linger.ts'

type Posix = 'ENOENT' | 'EEXIST' | 'ENOTDIR' | 'EISDIR' | 'EACCES' | 'ENOTEMPTY' | 'EINVAL' | 'ENOSPC'

const statuses: Readonly<Record<Posix, number>> = { ENOENT: 404, EEXIST: 400, ENOTDIR: 400, EISDIR: 400, EACCES: 403, ENOTEMPTY: 400, EINVAL: 400, ENOSPC: 507 }
const plain: Readonly<Record<string, Posix>> = { not_found: 'ENOENT', permission_denied: 'EACCES', invalid_argument: 'EINVAL', quota_exceeded: 'ENOSPC' }

/** Failures of file calls have a form of their own: `{error, code, path}`. */
export async function tellFailure(call: Call, response: ServerResponse, path: string, files: Files | undefined, error: unknown): Promise<void> {
  if (response.headersSent) throw error
  const code = codeOf(error)
  const found = code === 'conflict' && files ? await conflictAt(files, path) : plain[code ?? '']
  const { status, body } = answerTo(error)
  if (!call.request.complete) linger(call.request)
  json(response, found ? statuses[found] : status, { error: body.message, ...(found && { code: found }), path })
}

/** What stands in the way of it. */
async function conflictAt(files: Files, path: string): Promise<Posix> {
  const parent = await files.stat(posix.dirname(path)).catch(() => undefined)
  if (parent && parent.type === 'file') return 'ENOTDIR'
  const there = await files.stat(path).catch(() => undefined)
  if (there?.type !== 'directory') return there ? 'EEXIST' : 'ENOTDIR'
  const entries = await files.list(path).catch(() => [])
  return entries.length > 0 ? 'ENOTEMPTY' : 'EISDIR'
}
