import type { Duplex } from 'node:stream'
import { fail } from '../errors.ts'
import { Lane } from './lane.ts'

/** One of the lanes may be ahead of its reader by this much, in bytes. */
const AHEAD = 1024 * 1024
const HEADER = 8

export interface Parted {
  readonly stdout: Lane
  readonly stderr: Lane
  /** Settles when the engine has said everything; rejects when it broke off. */
  readonly ended: Promise<void>
}

/**
 * Takes an engine's stream apart: without a terminal, frames of a stream's number, three zero bytes, a big-endian length
 * and the bytes. Frames come cut up and joined at will. No copying.
 */
export function part(socket: Duplex, tty: boolean): Parted {
  const room = () => {
    if (socket.isPaused() && stdout.waiting < AHEAD && stderr.waiting < AHEAD) socket.resume()
  }
  const stdout = new Lane(room)
  const stderr = new Lane(room)
  const header = Buffer.alloc(HEADER)
  let have = 0
  let left = 0
  let lane = stdout
  const take = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const copied = chunk.copy(header, have, at, at + HEADER - have)
        have += copied
        at += copied
        if (have < HEADER) return
        have = 0
        left = header.readUInt32BE(4)
        lane = header[0] === 2 ? stderr : stdout
        continue
      }
      const piece = chunk.subarray(at, at + left)
      lane.push(piece)
      left -= piece.length
      at += piece.length
    }
  }
  const ended = new Promise<void>((resolve, reject) => {
    const finish = (failure?: unknown) => {
      stdout.end(failure)
      stderr.end(failure)
      if (failure === undefined) resolve()
      else reject(failure)
    }
    const broken = (cause?: unknown) => finish(fail('connection_lost', 'the connection to the engine broke', { source: 'transport', cause }))
    socket.on('data', (chunk: Buffer) => {
      if (tty) stdout.push(chunk)
      else take(chunk)
      if (stdout.waiting >= AHEAD || stderr.waiting >= AHEAD) socket.pause()
    })
    socket.once('end', () => (left > 0 || have > 0 ? broken() : finish()))
    socket.once('error', broken)
    socket.once('close', () => broken())
  })
  ended.catch(() => undefined)
  return { stdout, stderr, ended }
}
