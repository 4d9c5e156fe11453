import { constants, mkdirSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { fail } from '../errors/index.ts'
import { Place, isCode } from './place.ts'
import type { Ends } from './transfer.ts'

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const PIECE = 256 * 1024

/**
 * A file between the scratch directories, which both sides call the same. No link is followed here, at no step: a computer
 * that sees the project may put one in its place.
 */
export async function carryFile({ computer, here, there, direction }: Pick<Ends, 'computer' | 'direction'> & { readonly here: { readonly root: string }; readonly there: { readonly root: string } }, name: string, signal: AbortSignal): Promise<void> {
  const remote = `${there.root}/${name}`
  const parts = name.split('/')
  const last = parts.pop() ?? ''
  const pull = direction === 'pull'
  const place = Place.open(here.root, pull ? (path) => mkdirSync(path, { mode: 0o700 }) : undefined)
  try {
    const path = `${place.enter(parts)}/${last}`
    if (pull) await rm(path, { force: true })
    const file = await open(path, pull ? CREATE : READ, 0o600).catch((error: unknown) => {
      throw isCode(error, 'ELOOP', 'EEXIST') ? strange(name) : error
    })
    try {
      if (!(await file.stat()).isFile()) throw strange(name)
      if (pull) for await (const chunk of computer.files.read(remote, { signal })) await file.writeFile(chunk)
      else await computer.files.write(remote, contents(file), { parents: true, signal })
    } finally {
      await file.close()
    }
  } finally {
    place.close()
  }
}

async function* contents(file: FileHandle): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

function strange(name: string): Error {
  return fail('conflict', `${name} is no file of ours: something else was put in its place`, { hint: 'Remove it, and try again.' })
}
