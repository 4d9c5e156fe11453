import type { WebSocket } from 'ws'
import type { ByteSink, ExitStatus, TerminalSize } from '../../../../../src/contract/index.ts'
import { parseDocument } from '../http/call.ts'
import type { Greeting } from './greeting.ts'
import { Outlet } from '../http/outlet.ts'
import { TAKEN_MOST, type Taken } from './ring.ts'
import { codeOfSignal } from '../routes/signals.ts'

/** Waiting to be typed, in bytes: above it, the client waits. */
const INPUT_MAX = 1024 * 1024
/** What a message counts for at least: a word is work too, and takes room while it waits. */
const MESSAGE_LEAST = 1024
/** A frame that is worth its space, in bytes. */
const LARGE = 32 * 1024
/** An SDK gives a socket up that says nothing for 45 seconds. */
const ALIVE_MS = 15_000
const PROBE_MS = 1000

/** A client of an exec session. */
export class Peer {
  readonly socket: WebSocket
  readonly tty: boolean
  readonly #timer: NodeJS.Timeout
  readonly #outlet: Outlet
  /** Space for large frames, which were sent: fresh memory costs more than the copy. */
  readonly #spare: Buffer[] = []

  constructor(socket: WebSocket, tty: boolean) {
    this.socket = socket
    this.tty = tty
    this.#outlet = new Outlet(socket)
    // Some clients count messages, others pings.
    this.#timer = setInterval(() => {
      if (this.crowded) return
      this.#send(Buffer.alloc(0))
      socket.ping()
    }, ALIVE_MS)
    socket.on('close', () => clearInterval(this.#timer))
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN
  }

  greet(greeting: Greeting): void {
    this.text({ type: 'session_info', ...greeting })
  }

  text(document: object): void {
    this.#outlet.say(document)
  }

  /** A terminal's bytes. */
  raw(data: Uint8Array): void {
    if (data.length > 0) this.#send(data)
  }

  /** Of a session without a terminal. */
  frame({ stream, parts, size }: Taken): void {
    const space = size < LARGE ? Buffer.allocUnsafe(size + 1) : (this.#spare.pop() ?? Buffer.allocUnsafeSlow(TAKEN_MOST + 1))
    space[0] = stream
    let at = 1
    for (const part of parts) {
      space.set(part, at)
      at += part.length
    }
    if (size < LARGE) this.#outlet.send(space)
    else this.#outlet.send(space.subarray(0, at), () => this.#spare.push(space))
  }

  /** Resolves once it takes more, or is gone. */
  async room(): Promise<void> {
    await this.#outlet.room()
  }

  get crowded(): boolean {
    return this.#outlet.crowded
  }

  /** How it ended, in every form that a client may wait for; then the end, once everything is on its way. */
  async exit(status: ExitStatus): Promise<void> {
    const code = status.signal === undefined ? status.code : codeOfSignal(status.signal)
    if (!this.tty) this.#send(Buffer.from([3, code]))
    this.text({ type: 'exit', exit_code: code, ...(status.signal !== undefined && { signal: status.signal }) })
    await this.#outlet.room(0)
    this.socket.close(this.tty && code !== 0 ? 4001 : 1000)
  }

  /** It reads too slowly, and nobody waits for it. */
  dismiss(): void {
    this.socket.close(1013, 'too slow: attach again')
  }

  /** Nobody knows how it ended. */
  lost(message: string): void {
    this.text({ type: 'error', error: message })
    this.socket.close(1011, message.slice(0, 100))
  }

  #send(data: Uint8Array): void {
    this.#outlet.send(data)
  }
}

/** Where what a client says goes. */
export interface Heard {
  readonly stdin: ByteSink
  kill(signal: string): Promise<void>
  resize(size: TerminalSize): Promise<void>
}

/** A program's input, in the order it came, whoever it came from. `onBytes`: told as soon as some have come. */
export function inOrder(stdin: ByteSink, onBytes: (count: number) => void = () => {}): ByteSink {
  let turn: Promise<void> = Promise.resolve()
  const next = (work: () => Promise<void>) => (turn = turn.then(work).catch(() => undefined))
  return {
    write(bytes) {
      onBytes(bytes.length)
      return next(() => stdin.write(bytes))
    },
    end: () => next(() => stdin.end()),
  }
}

/** What a client says to a session. Its input is `inOrder`. */
export function listen(peer: Peer, program: Heard): void {
  const { socket } = peer
  let waiting = 0
  let probe: NodeJS.Timeout | undefined
  const later = (size: number, work: () => Promise<void>) => {
    const bytes = Math.max(size, MESSAGE_LEAST)
    waiting += bytes
    if (waiting > INPUT_MAX && !socket.isPaused) {
      socket.pause()
      // Unheard, it could leave unnoticed.
      probe = setInterval(() => socket.ping(), PROBE_MS)
    }
    void work().finally(() => {
      waiting -= bytes
      if (waiting > INPUT_MAX || !socket.isPaused) return
      clearInterval(probe)
      socket.resume()
    })
  }
  socket.on('close', () => clearInterval(probe))
  socket.on('message', (data, binary) => {
    // One buffer: the default of ws.
    const bytes = data as Buffer
    if (!binary) return later(bytes.length, () => control(bytes.toString(), program))
    if (bytes.length === 0) return
    if (peer.tty) return later(bytes.length, () => program.stdin.write(bytes))
    if (bytes[0] === 0 && bytes.length > 1) later(bytes.length, () => program.stdin.write(bytes.subarray(1)))
    else if (bytes[0] === 4) later(0, () => program.stdin.end())
  })
}

/** What makes no sense is not heard: nothing says how it would be answered. */
async function control(text: string, program: Heard): Promise<void> {
  try {
    const { type, cols, rows, signal } = parseDocument(text)
    if (type === 'resize' && typeof cols === 'number' && typeof rows === 'number') await program.resize({ cols, rows })
    if (type === 'signal' && typeof signal === 'string') await program.kill(signal.toUpperCase().replace(/^(?:SIG)?/, 'SIG'))
  } catch {
    return
  }
}
