import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { initProgram } from '../../native/index.ts'
import type { FileList } from '../../protocol/index.ts'
import { latin1, pack, unpackBy, unpackFrom, writes } from '../../tar/index.ts'
import type { Request } from '../request.ts'
import { send } from '../send.ts'
import { findUser } from '../users.ts'
import { GuestError } from '../wire.ts'
import { makeAll, modeOf, ownerOf, place } from './path.ts'
import { copy } from './copy.ts'
import { throughDoor } from './door.ts'
import { openPart } from './read.ts'
import { changeMode, changeOwner, listOf, makeDirectory, move, remove, statOf } from './tree.ts'
import { watchTree } from './watch.ts'
import { writeWhole } from './write.ts'

function at(request: Request, name = 'path'): string {
  return place(request.guest.config, request.text(name))
}

export async function readFile(request: Request): Promise<void> {
  const { file, start, end, sized } = await openPart(at(request), request.number('offset') ?? 0, request.number('length'))
  const { stream } = request
  if (stream.destroyed) return file.close()
  const empty = end !== undefined && end <= start
  stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' }, { endStream: empty })
  if (empty) return file.close()
  const bytes = file.createReadStream({ start, ...(end !== undefined && { end: end - 1 }), highWaterMark: 256 * 1024 })
  await send(sized && end !== undefined ? whole(bytes, end - start) : bytes, stream)
}

/** Fails when a file became shorter while it was read: what was sent must not pass for it. */
async function* whole(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let left = size
  for await (const chunk of source) {
    left -= chunk.length
    yield chunk
  }
  if (left > 0) throw new GuestError('failed', 'the file became shorter while it was read')
}

export async function putFile(request: Request): Promise<void> {
  const { config } = request.guest
  const user = request.optional('user')
  const facts = { owner: ownerOf(config, user), chosen: user !== undefined, mode: modeOf(request.optional('mode')), parents: request.flag('parents') }
  await writeWhole(at(request), request.body(), facts)
  request.done()
}

export async function removeFile(request: Request): Promise<void> {
  await remove(at(request), request.flag('recursive'))
  request.done()
}

export async function statFile(request: Request): Promise<void> {
  request.json(await statOf(at(request)))
}

export async function listFiles(request: Request): Promise<void> {
  const list: FileList = { entries: await listOf(at(request)) }
  request.json(list)
}

export async function makeDir(request: Request): Promise<void> {
  const owner = ownerOf(request.guest.config, request.optional('user'))
  await makeDirectory(at(request), owner, { parents: request.flag('parents'), mode: modeOf(request.optional('mode')) })
  request.done()
}

export async function renameFile(request: Request): Promise<void> {
  await move(at(request, 'from'), at(request, 'to'))
  request.done()
}

export async function chmodFile(request: Request): Promise<void> {
  const mode = modeOf(request.text('mode'))
  await changeMode(at(request), mode ?? 0, request.flag('recursive'))
  request.done()
}

export async function chownFile(request: Request): Promise<void> {
  const path = at(request)
  const owner = findUser(request.text('user'), request.guest.config.user)
  await changeOwner(path, owner, request.flag('recursive'))
  request.done()
}

export async function copyFile(request: Request): Promise<void> {
  const options = { recursive: request.flag('recursive'), preserve: request.flag('preserve'), owner: ownerOf(request.guest.config, undefined) }
  await copy(at(request, 'from'), at(request, 'to'), options, request.signal)
  request.done()
}

export async function watchFiles(request: Request): Promise<void> {
  const { stream, guest } = request
  const paths = request.query.getAll('path').map((path) => place(guest.config, path))
  const stop = await watchTree(paths, request.flag('recursive'), (event) => request.line(event, LAG_MAX))
  if (stream.destroyed) return stop()
  stream.once('close', stop)
  request.lines()
}

/** Much may happen to many files at once. */
const LAG_MAX = 16 * 1024 * 1024

export async function readArchive(request: Request): Promise<void> {
  const path = at(request)
  const found = await stat(path)
  if (!found.isDirectory() && !found.isFile()) throw new GuestError('conflict', `${path} is neither a file nor a directory`)
  if (request.stream.destroyed) return
  const tar = pack([{ path: latin1(path), name: found.isDirectory() ? '' : latin1(basename(path)), follow: true }])
  if (request.flag('door')) return throughDoor(request, (socket, signal) => (writes(tar) ? tar.writeTo(socket, { signal }) : pipeline(tar, socket, { signal }).finally(() => socket.destroy())))
  request.stream.respond({ ':status': 200, 'content-type': 'application/x-tar' })
  await send(tar, request.stream)
}

export async function putArchive(request: Request): Promise<void> {
  const { config } = request.guest
  const owner = ownerOf(config, request.optional('user'))
  const path = at(request)
  const program = initProgram()
  if (program === undefined) throw new GuestError('internal', 'the program that unpacks is not where the guest is')
  await makeAll(path, owner)
  if (request.flag('door')) return throughDoor(request, (socket, signal) => unpackFrom(program, path, socket, { exact: true, owner, signal }))
  await unpackBy(program, path, request.body(), { exact: true, owner })
  request.done()
}
