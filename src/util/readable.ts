import { constants, createReadStream, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/**
 * What is at a path, as bytes. A named pipe is waited for without a thread: one that nobody opens for writing would keep
 * that thread, and so this process, for ever. (Elsewhere than on Linux such a pipe would seem to have ended.)
 */
export function readableAt(path: string): Readable {
  const isPipe = process.platform === 'linux' && statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
  return isPipe ? new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false }) : createReadStream(path)
}
