import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { GuestError } from '../wire.ts'

export interface Opened {
  readonly file: FileHandle
  readonly start: number
  /** Exclusive; unknown for what has no size of its own, like /proc. */
  readonly end: number | undefined
  /** The file has a size, so everything up to `end` has to come. */
  readonly sized: boolean
}

/** Opens a part of a file. The end is fixed now: a log that grows meanwhile is read up to here. */
export async function openPart(path: string, offset: number, length: number | undefined): Promise<Opened> {
  const found = await stat(path)
  if (found.isDirectory()) throw new GuestError('conflict', `${path} is a directory`)
  if (!found.isFile()) throw new GuestError('conflict', `${path} is no regular file`)
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { size } = await file.stat()
    const wanted = length === undefined ? undefined : offset + length
    return { file, start: offset, sized: size > 0, end: size === 0 ? wanted : Math.max(offset, Math.min(size, wanted ?? size)) }
  } catch (error) {
    await file.close()
    throw error
  }
}
