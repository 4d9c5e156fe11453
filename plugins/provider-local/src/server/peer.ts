import type { WebSocket } from 'ws'
import type { Attachment, ExitStatus } from '../../../../src/contract/index.ts'
import { codeOfSignal } from './signals.ts'

/** Waiting to be sent to one client, in bytes: the program is paced by its owner above the first, others are dropped above the second. */
const HIGH = 1024 * 1024
const DROP = 16 * 1024 * 1024
/** An SDK gives a socket up that says nothing for 45 seconds. */
const ALIVE_MS = 15_000

export interface Greeting {
  readonly session_id: string
  readonly command: string
  readonly created: number
  readonly cols: number
  readonly rows: number
  readonly is_owner: boolean
  readonly tty: boolean
  readonly stdout_offset?: number
  readonly stderr_offset?: number
}

/** A client of an exec session. */
export class Peer {
  readonly socket: WebSocket
  readonly tty: boolean
  readonly #timer: NodeJS.Timeout
  #wake: () => void = () => {}

  constructor(socket: WebSocket, tty: boolean) {
    this.socket = socket
    this.tty = tty
    // Some clients count messages, others pings.
    this.#timer = setInterval(() => {
      this.#send(Buffer.alloc(0))
      socket.ping()
    }, ALIVE_MS)
    socket.on('close', () => {
      clearInterval(this.#timer)
      this.#wake()
    })
    socket.on('error', () => socket.terminate())
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN
  }

  greet(greeting: Greeting): void {
    this.text({ type: 'session_info', ...greeting })
  }

  text(document: object): void {
    if (this.open) this.socket.send(JSON.stringify(document))
  }

  /** `stream`: 1 or 2; a terminal's bytes go as they are. */
  output(stream: number, data: Uint8Array): void {
    if (data.length === 0) return
    if (this.tty) return this.#send(data)
    const frame = Buffer.allocUnsafe(data.length + 1)
    frame[0] = stream
    frame.set(data, 1)
    this.#send(frame)
  }

  /** Resolves once it takes more, or is gone. */
  async room(): Promise<void> {
    while (this.open && this.socket.bufferedAmount > HIGH) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 5)
      })
    }
  }

  get lags(): boolean {
    return this.socket.bufferedAmount > DROP
  }

  /** How it ended, in every form that a client may wait for; then the end. */
  exit(status: ExitStatus): void {
    const code = status.signal === undefined ? status.code : codeOfSignal(status.signal)
    if (!this.tty) this.#send(Buffer.from([3, code]))
    this.text({ type: 'exit', exit_code: code, ...(status.signal !== undefined && { signal: status.signal }) })
    this.socket.close(this.tty && code !== 0 ? 4001 : 1000)
  }

  /** Nobody knows how it ended. */
  lost(message: string): void {
    this.text({ type: 'error', error: message })
    this.socket.close(1011, message.slice(0, 100))
  }

  #send(data: Uint8Array): void {
    if (this.open) this.socket.send(data)
  }
}

/** What a client says to a session. `input` false: it is not heard. */
export function listen(peer: Peer, program: Attachment, input: boolean): void {
  let turn: Promise<void> = Promise.resolve()
  const { socket } = peer
  const later = (bytes: number, work: () => Promise<void>) => {
    // The client waits until the program has taken it.
    socket.pause()
    turn = turn.then(work).catch(() => undefined).then(() => (bytes >= 0 ? socket.resume() : undefined))
  }
  socket.on('message', (data, binary) => {
    // One buffer: the default of ws.
    const bytes = data as Buffer
    if (!binary) return control(bytes.toString(), program)
    if (!input || bytes.length === 0) return
    if (peer.tty) return later(bytes.length, () => program.stdin.write(bytes))
    if (bytes[0] === 0 && bytes.length > 1) later(bytes.length, () => program.stdin.write(bytes.subarray(1)))
    else if (bytes[0] === 4) later(0, () => program.stdin.end())
  })
}

/** What makes no sense is not heard: nothing says how it would be answered. */
function control(text: string, program: Attachment): void {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return
  }
  if (!(message instanceof Object)) return
  const { type, cols, rows, signal } = message as Readonly<Record<string, unknown>>
  if (type === 'resize' && typeof cols === 'number' && typeof rows === 'number') program.resize({ cols, rows }).catch(() => undefined)
  if (type === 'signal' && typeof signal === 'string') program.kill(signal.toUpperCase().replace(/^(?:SIG)?/, 'SIG')).catch(() => undefined)
}
