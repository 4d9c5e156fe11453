import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { GuestConfig, WireError } from '../../src/protocol/index.ts'

const MAIN = join(import.meta.dirname, '../../src/guest/main.ts')

export interface Answer {
  readonly status: number
  readonly body: Buffer
}

/** A guest alone, without supervisor and so without sessions, in a directory of its own whose `home` is the user's. */
export class Solo {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'amux-solo-'))
  readonly home: string = join(this.dir, 'home')
  readonly file: string = join(this.dir, 'guest.json')
  readonly socket: string = join(this.dir, 'run/guest.sock')
  process: ChildProcess | undefined
  errors = ''
  #client: ClientHttp2Session | undefined

  constructor(more: Partial<GuestConfig> = {}) {
    const { username, uid, gid } = userInfo()
    mkdirSync(this.home)
    const config: GuestConfig = { store: this.dir, run: join(this.dir, 'run'), version: 'test', user: { name: username, uid, gid, home: this.home }, env: {}, path: [], ...more }
    writeFileSync(this.file, JSON.stringify(config))
  }

  static async open(more: Partial<GuestConfig> = {}): Promise<Solo> {
    const solo = new Solo(more)
    await solo.start()
    return solo
  }

  launch(): ChildProcess {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, this.file], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (bytes: Buffer) => (this.errors += bytes.toString()))
    return child
  }

  async start(): Promise<void> {
    this.process = this.launch()
    while (!(await this.answers())) {
      if (this.process.exitCode !== null) throw new Error(`the guest ended: ${this.errors}`)
    }
  }

  answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.socket)
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => setTimeout(() => resolve(false), 10))
    })
  }

  /** Resolves with its exit status or signal. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | null> {
    this.#client?.destroy()
    this.#client = undefined
    const child = this.process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const over = ended(child)
    child.kill(signal)
    return over
  }

  async close(): Promise<void> {
    await this.end('SIGKILL')
    rmSync(this.dir, { recursive: true, force: true })
  }

  connect(): ClientHttp2Session {
    const session = connect('http://guest', { createConnection: () => createConnection(this.socket), settings: { initialWindowSize: 1 << 20 } })
    session.on('error', () => undefined)
    return session
  }

  open(method: string, path: string, headers: Record<string, string> = {}): ClientHttp2Stream {
    if (this.#client === undefined || this.#client.destroyed || this.#client.closed) this.#client = this.connect()
    const stream = this.#client.request({ ...headers, ':method': method, ':path': path })
    stream.on('error', () => undefined)
    return stream
  }

  /** A stream that breaks off before its end rejects. */
  call(method: string, path: string, body?: Uint8Array | string, headers?: Record<string, string>): Promise<Answer> {
    const stream = this.open(method, path, headers)
    const answer = answerOf(stream)
    stream.end(body)
    return answer
  }

  async json<T>(method: string, path: string, body?: Uint8Array | string): Promise<T> {
    const { status, body: bytes } = await this.call(method, path, body)
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${bytes.toString()}`)
    return JSON.parse(bytes.toString()) as T
  }

  /** What a call that has to fail answers. */
  async refusal(method: string, path: string, body?: Uint8Array | string, headers?: Record<string, string>): Promise<WireError & { readonly status: number }> {
    const { status, body: bytes } = await this.call(method, path, body, headers)
    if (status < 400) throw new Error(`${method} ${path} did not fail: ${status}`)
    return { ...(JSON.parse(bytes.toString()) as WireError), status }
  }
}

export function ended(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
}

export function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let status = 0
    stream.on('response', (headers) => (status = headers[':status'] ?? 0))
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('close', () => {
      if (status > 0 && stream.readableEnded && stream.rstCode === 0) resolve({ status, body: Buffer.concat(pieces) })
      else reject(new Error(`the stream broke off with ${stream.rstCode}`))
    })
  })
}

export function query(path: string, parameters: Record<string, string | number>): string {
  return `${path}?${new URLSearchParams(Object.entries(parameters).map(([key, value]): [string, string] => [key, String(value)])).toString()}`
}
