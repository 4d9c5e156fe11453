import type { Duplex } from 'node:stream'
import { fail } from '../errors.ts'
import { Intake } from '../../../shared/intake.ts'

const HEADER = 8

export interface Parted {
  readonly stdout: Intake
  readonly stderr: Intake
  /** Settles when the engine has said everything; rejects when it broke off. */
  readonly ended: Promise<void>
}

/**
 * Takes an engine's stream apart: without a terminal, frames of a stream's number, three zero bytes, a big-endian length
 * and the bytes. Frames come cut up and joined at will. No copying.
 */
export function part(socket: Duplex, tty: boolean): Parted {
  const stdout = new Intake()
  const stderr = new Intake()
  let behind = 0
  /** A reader that is behind holds up both: they come over one connection. */
  const give = (to: Intake, chunk: Uint8Array) => {
    const room = to.push(chunk)
    if (room === undefined) return
    behind++
    socket.pause()
    void room.then(() => --behind === 0 && socket.resume())
  }
  const header = Buffer.alloc(HEADER)
  let have = 0
  let left = 0
  let to = stdout
  const take = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const copied = chunk.copy(header, have, at, at + HEADER - have)
        have += copied
        at += copied
        if (have < HEADER) return
        have = 0
        left = header.readUInt32BE(4)
        to = header[0] === 2 ? stderr : stdout
        continue
      }
      const piece = chunk.subarray(at, at + left)
      give(to, piece)
      left -= piece.length
      at += piece.length
    }
  }
  const ended = new Promise<void>((resolve, reject) => {
    const finish = (failure?: unknown) => {
      for (const one of [stdout, stderr]) {
        if (failure === undefined) one.end()
        else one.fail(failure)
      }
      if (failure === undefined) resolve()
      else reject(failure)
    }
    const broken = (cause?: unknown) => finish(fail('connection_lost', 'the connection to the engine broke', { source: 'transport', cause }))
    socket.on('data', (chunk: Buffer) => {
      if (tty) give(stdout, chunk)
      else take(chunk)
    })
    socket.once('end', () => (left > 0 || have > 0 ? broken() : finish()))
    socket.once('error', broken)
    socket.once('close', () => broken())
  })
  ended.catch(() => undefined)
  return { stdout, stderr, ended }
}
