import type { ServerResponse } from 'node:http'
import { posix } from 'node:path'
import type { Files } from '../../../../../src/contract/index.ts'
import { type Call, json } from '../http/call.ts'
import { readCheckpoint } from './checkpoint-files.ts'
import { refuse } from '../http/errors.ts'
import { tellFailure } from './fs-errors.ts'
import { entryOf, listTree } from './fs-list.ts'
import { poured } from '../http/pour.ts'
import type { Handler, Routes } from '../http/router.ts'
import type { Served } from '../sprite/served.ts'

interface Work {
  readonly call: Call
  readonly response: ServerResponse
  readonly served: Served
  readonly files: Files
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

export const fsRoutes: Routes = {
  'GET /v1/sprites/:name/fs/read': on('path', read),
  'PUT /v1/sprites/:name/fs/write': on('path', write),
  'GET /v1/sprites/:name/fs/list': on('path', list),
  'DELETE /v1/sprites/:name/fs/delete': on('path', remove),
  'POST /v1/sprites/:name/fs/rename': on('source', rename),
  'POST /v1/sprites/:name/fs/copy': on('source', copy),
  'POST /v1/sprites/:name/fs/chmod': on('path', chmod),
  'POST /v1/sprites/:name/fs/chown': on('path', chown),
}

/** Parameters come in the query, or in the body of those that have one. */
function on(subject: 'path' | 'source', work: (work: Work) => Promise<void>): Handler {
  return async (call, response) => {
    const served = await call.sprite()
    const upload = call.request.method === 'PUT' || call.request.method === 'GET'
    const body = upload ? {} : await call.document()
    const path = await resolved(served, call, body, subject)
    const { files } = served.computer
    try {
      await served.wake()
      await work({ call, response, served, files, path, body })
    } catch (error) {
      await tellFailure(call, response, path, files, error)
    }
  }
}

async function read({ call, response, served, files, path }: Work): Promise<void> {
  const checkpoint = readCheckpoint(served, path)
  if (checkpoint) return pour(response, checkpoint)
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(call.request.headers.range ?? '') ?? []
  const stat = await files.stat(path)
  if (from === undefined || stat.type !== 'file') {
    // What has no size of its own (below /proc) is read to its end.
    if (stat.type === 'file' && stat.size > 0) response.setHeader('content-length', stat.size)
    return pour(response, files.read(path, stat.type === 'file' && stat.size > 0 ? { length: stat.size, signal: call.signal } : { signal: call.signal }))
  }
  const offset = Number(from)
  const end = to ? Math.min(Number(to), stat.size - 1) : stat.size - 1
  if (offset > end) {
    response.setHeader('content-range', `bytes */${stat.size}`)
    return json(response, 416, { error: `the range begins behind the end: ${path} has ${stat.size} bytes`, code: 'EINVAL', path })
  }
  response.statusCode = 206
  response.setHeader('content-range', `bytes ${offset}-${end}/${stat.size}`)
  response.setHeader('content-length', end - offset + 1)
  await pour(response, files.read(path, { offset, length: end - offset + 1, signal: call.signal }))
}

/** The first chunk decides whether there is anything to answer with. */
async function pour(response: ServerResponse, source: AsyncIterable<Uint8Array>): Promise<void> {
  response.setHeader('content-type', 'application/octet-stream')
  for await (const chunk of source) {
    if (!(await poured(response, chunk))) return
  }
  response.end()
}

async function write({ call, response, files, path }: Work): Promise<void> {
  const mode = modeOf(call.query.get('mode'))
  const without = [call.query.get('mkdirParents'), call.query.get('mkdir')].includes('false')
  await files.write(path, call.chunks(), { parents: !without, signal: call.signal, ...(mode !== undefined && { mode }), ...userOf(call.flag('asRoot')) })
  const stat = await files.stat(path)
  json(response, 200, { path, size: stat.size, mode: octal(stat.mode) })
}

async function list({ call, response, served, files, path }: Work): Promise<void> {
  if (readCheckpoint(served, path)) throw refuse(501, 'not_implemented', 'directories of a checkpoint are not listed')
  const entries = await listTree(files, path, { recursive: call.flag('recursive'), pattern: call.query.get('pattern') })
  json(response, 200, { path, entries: entries.map(entryOf), count: entries.length })
}

async function remove({ call, response, files, path, body }: Work): Promise<void> {
  await files.remove(path, { recursive: call.flag('recursive') || body['recursive'] === true })
  json(response, 200, { deleted: [path], count: 1 })
}

async function rename({ call, response, served, files, path, body }: Work): Promise<void> {
  const dest = await resolved(served, call, body, 'dest')
  await files.rename(path, dest)
  json(response, 200, { source: path, dest })
}

async function copy({ call, response, served, files, path, body }: Work): Promise<void> {
  const dest = await resolved(served, call, body, 'dest')
  await files.copy(path, dest, { recursive: body['recursive'] === true, preserve: body['preserveAttrs'] === true, signal: call.signal })
  const { size } = await files.stat(dest)
  json(response, 200, { copied: [{ source: path, dest }], count: 1, totalBytes: size })
}

async function chmod({ response, files, path, body }: Work): Promise<void> {
  const given = body['mode'] ?? ''
  if (typeof given !== 'string') throw refuse(400, 'invalid_request', 'mode is octal text, like "0755"')
  const mode = modeOf(given)
  if (mode === undefined) throw refuse(400, 'invalid_request', 'mode is missing')
  await files.chmod(path, mode, { recursive: body['recursive'] === true })
  json(response, 200, { affected: [{ path, mode: octal(mode) }], count: 1 })
}

async function chown({ response, files, path, body }: Work): Promise<void> {
  const { uid, gid } = body
  const named = (value: unknown): value is string | number => typeof value === 'number' || typeof value === 'string'
  if (!named(uid) && !named(gid)) throw refuse(400, 'invalid_request', 'uid or gid is needed')
  const before = await files.stat(path)
  await files.chown(path, `${named(uid) ? uid : before.uid}:${named(gid) ? gid : before.gid}`, { recursive: body['recursive'] === true })
  const after = await files.stat(path)
  json(response, 200, { affected: [{ path, uid: after.uid, gid: after.gid }], count: 1 })
}

/** Relative to `workingDir`, which is relative to the user's home. */
async function resolved(served: Served, call: Call, body: Readonly<Record<string, unknown>>, name: string): Promise<string> {
  const given = (key: string) => call.query.get(key) ?? (typeof body[key] === 'string' ? body[key] : '')
  const path = given(name)
  if (path === '' || path.includes('\0')) throw refuse(400, 'invalid_request', `${name} is missing`)
  if (path.startsWith('/')) return posix.normalize(path)
  const { user } = await served.info()
  return posix.resolve('/', user?.home ?? '/', given('workingDir'), path)
}

function modeOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (/^0?[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8)
  throw refuse(400, 'invalid_request', `${JSON.stringify(text)} is no mode: write it in octal, like 0644`)
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

function userOf(asRoot: boolean): { readonly user?: string } {
  return asRoot ? { user: '0' } : {}
}
