import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AttachRequest, GuestConfig, Hello, SessionInfo, StartRequest } from '../../src/protocol/index.ts'
import { Program, type ProgramOptions } from './program.ts'

const root = join(import.meta.dirname, '../..')
/** Another build of the guest, for measurements. */
const entry = process.env['AMUX_GUEST'] ?? join(root, 'src/guest/main.ts')
export const INIT = join(root, `src/guest/native/prebuilt/amux-init-linux-${process.arch}`)
const run = promisify(execFile)

/** A guest of its own, with its supervisor, in a directory of its own; and a raw client for it. */
export class Lab {
  readonly dir: string
  readonly config: GuestConfig
  readonly file: string
  #client: ClientHttp2Session | undefined

  private constructor(dir: string) {
    const { username, uid, gid, homedir } = userInfo()
    this.dir = dir
    this.file = join(dir, 'guest.json')
    this.config = { store: dir, run: join(dir, 'run'), version: 'test', user: { name: username, uid, gid, home: homedir }, env: { FROM_COMPUTER: 'yes' }, path: [] }
  }

  /** `through`: a program that starts another one, with arguments. */
  static async open(through: readonly string[] = []): Promise<Lab> {
    const lab = new Lab(mkdtempSync(join(tmpdir(), 'amux-lab-')))
    writeFileSync(lab.file, JSON.stringify(lab.config))
    await lab.start(through)
    return lab
  }

  async start(through: readonly string[] = []): Promise<void> {
    const [program = INIT, ...words] = [...through, INIT]
    await run(program, [...words, 'start', this.file, '--', process.execPath, '--disable-warning=ExperimentalWarning', entry])
  }

  /** Ends everything, the records stay. */
  stop(leaving = true): void {
    if (leaving) this.cut()
    execFileSync(INIT, ['stop', this.file])
  }

  close(): void {
    this.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }

  client(): ClientHttp2Session {
    if (this.#client === undefined || this.#client.destroyed || this.#client.closed) {
      this.#client = connect('http://guest', {
        createConnection: () => createConnection(join(this.config.run, 'guest.sock')),
        settings: { initialWindowSize: 1 << 20 },
      })
      this.#client.on('error', () => {})
    }
    return this.#client
  }

  /** Cuts the connection as a dead network does. */
  cut(): void {
    this.#client?.destroy()
    this.#client = undefined
  }

  exec(request: StartRequest, options?: ProgramOptions): Program {
    return new Program(this.client(), '/v1/exec', request, options)
  }

  attach(request: AttachRequest, options?: ProgramOptions): Program {
    return new Program(this.client(), '/v1/attach', request, options)
  }

  /** Runs to the end without input. */
  async sh(script: string, more: Partial<StartRequest> = {}): Promise<Program> {
    const program = this.exec({ argv: ['sh', '-c', script], stdin: false, ...more })
    await program.over
    return program
  }

  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Buffer }> {
    return new Promise((resolve, reject) => {
      const stream = this.client().request({ ':method': method, ':path': path })
      const pieces: Buffer[] = []
      let status = 0
      stream.on('response', (headers) => (status = headers[':status'] ?? 0))
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => resolve({ status, body: Buffer.concat(pieces) }))
      stream.on('error', reject)
      stream.end(body instanceof Uint8Array ? body : body === undefined ? undefined : JSON.stringify(body))
    })
  }

  async info(id: string): Promise<SessionInfo> {
    const { body } = await this.call('GET', `/v1/sessions/${id}`)
    return JSON.parse(body.toString()) as SessionInfo
  }

  async list(): Promise<readonly SessionInfo[]> {
    const { body } = await this.call('GET', '/v1/sessions')
    return (JSON.parse(body.toString()) as { sessions: SessionInfo[] }).sessions
  }

  async hello(): Promise<Hello> {
    return JSON.parse((await this.call('GET', '/v1/hello')).body.toString()) as Hello
  }

  logs(id: string, query = ''): Program {
    return new Program(this.client(), `/v1/sessions/${id}/logs${query}`)
  }

  /** SIGKILL; resolves once the next guest answers. */
  async killGuest(): Promise<void> {
    const { pid, nonce } = await this.hello()
    process.kill(pid, 'SIGKILL')
    this.cut()
    await until(async () => (await this.hello().catch(() => undefined))?.nonce !== nonce && (await this.hello().catch(() => undefined)) !== undefined)
  }
}

/** Polls. For what has no event of its own. */
export async function until(check: () => boolean | Promise<boolean>, patience = 15_000): Promise<void> {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`this never became true: ${check.toString()}`)
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
