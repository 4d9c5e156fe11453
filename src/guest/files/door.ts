import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { DoorWord, GuestConfig } from '../../protocol/index.ts'
import { doorName } from '../doors.ts'
import { claim } from '../listen.ts'
import type { Request } from '../request.ts'
import { GuestError, toWire } from '../wire.ts'

/**
 * Answers a request with a socket for one connection, whose bytes are for a program of ours and pass none of Node's
 * streams. The request lasts as long as that: it tells how it went, and when it is broken off, `signal` says so.
 */
export async function throughDoor(request: Request, work: (socket: Socket, signal: AbortSignal) => Promise<void>): Promise<void> {
  const { stream, guest, signal } = request
  const say = (word: DoorWord): void => void (stream.destroyed || request.line(word))
  const door = await Door.open(guest.config)
  let socket: Socket | undefined
  try {
    if (stream.destroyed) return
    request.lines()
    say({ door: door.name })
    socket = await door.visitor(signal)
    await work(socket, signal)
    say({ done: true })
  } catch (error) {
    say({ failure: toWire(error) })
  } finally {
    door.close()
    socket?.destroy()
  }
  stream.end()
}

class Door {
  readonly name: string
  readonly #path: string
  /** Of a connection that another process takes over, this one must read nothing. */
  readonly #server = createServer({ pauseOnConnect: true, allowHalfOpen: true })

  private constructor(run: string) {
    this.name = doorName()
    this.#path = join(run, this.name)
  }

  /** Nobody is told its name before it has its owner and mode. */
  static async open(config: GuestConfig): Promise<Door> {
    const door = new Door(config.run)
    try {
      await new Promise<void>((resolve, reject) => {
        door.#server.once('error', reject).listen(door.#path, resolve)
      })
      claim(door.#path, config)
      return door
    } catch (error) {
      door.close()
      throw error
    }
  }

  visitor(signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const leave = (): void => reject(new GuestError('aborted', 'the client left'))
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      this.#server.once('connection', (socket) => {
        signal.removeEventListener('abort', leave)
        this.close()
        resolve(socket.on('error', () => undefined))
      })
    })
  }

  close(): void {
    this.#server.close()
    rmSync(this.#path, { force: true })
  }
}
