import type { ServerResponse } from 'node:http'
import { posix } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import type { Files } from '../../../../../src/contract/index.ts'
import { type Call, json } from '../http/call.ts'
import { type ErrorBody, answerTo, codeOf } from '../http/errors.ts'
import { linger } from '../http/linger.ts'

/** The codes that clients know, and those they take as they are; each with its status. */
const statuses = { ENOENT: 404, EEXIST: 400, ENOTDIR: 400, EISDIR: 400, EACCES: 403, EPERM: 403, ENOTEMPTY: 400, EINVAL: 400, EIO: 500, ENOSPC: 507, EBUSY: 400, EROFS: 403, ELOOP: 400, EXDEV: 400 } as const
type Posix = keyof typeof statuses
const plain: Readonly<Record<string, Posix>> = { not_found: 'ENOENT', permission_denied: 'EACCES', invalid_argument: 'EINVAL', quota_exceeded: 'ENOSPC' }

/** The kernel's words, as the computer tells them: `not a directory: /x`. */
const kernel = new Map([...getSystemErrorMap().values()].map(([code, text]) => [text, code]))
/** The computer's own words, after the path. */
const own: readonly (readonly [RegExp, Posix])[] = [
  [/ is a directory$/, 'EISDIR'],
  [/ is no directory$/, 'ENOTDIR'],
  [/ is no regular file$| is neither a file, a directory nor a link$/, 'EINVAL'],
  [/ is a link that leads to itself$/, 'ELOOP'],
]

/** Failures of file calls have a form of their own: `{error, code, path}`. */
export async function tellFailure(call: Call, response: ServerResponse, path: string, files: Files | undefined, error: unknown): Promise<void> {
  if (response.headersSent) throw error
  const { status, body } = answerTo(error)
  const found = await posixOf(error, body, path, files)
  if (!call.request.complete) linger(call.request)
  json(response, found ? statuses[found] : status, { error: body.message, ...(found && { code: found }), path })
}

async function posixOf(error: unknown, { error: word, message }: ErrorBody, path: string, files: Files | undefined): Promise<Posix | undefined> {
  const code = codeOf(error)
  if (code === undefined) return word === 'invalid_request' ? 'EINVAL' : undefined
  const said = kernel.get(message.split(': /', 1)[0] ?? '') ?? own.find(([words]) => words.test(message))?.[1]
  if (said !== undefined && isKnown(said)) return said
  return code === 'conflict' && files ? conflictAt(files, path) : plain[code]
}

function isKnown(code: string): code is Posix {
  return code in statuses
}

/** What stands in the way of it, where it was not said. */
async function conflictAt(files: Files, path: string): Promise<Posix> {
  const parent = await files.stat(posix.dirname(path)).catch(() => undefined)
  if (parent && parent.type === 'file') return 'ENOTDIR'
  const there = await files.stat(path).catch(() => undefined)
  if (there?.type !== 'directory') return there ? 'EEXIST' : 'ENOTDIR'
  const entries = await files.list(path).catch(() => [])
  return entries.length > 0 ? 'ENOTEMPTY' : 'EISDIR'
}
