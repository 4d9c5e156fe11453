import { rm, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { Computer, ComputerInfo, ComputerUser, Process, SpawnOptions } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { endAll, MARK } from './end.ts'
import { type ComputerRecord, readRecord, writeRecord } from './record.ts'
import { startProcess } from './process.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export class ProcessComputer implements Computer {
  readonly name: string
  readonly #directory: string
  readonly #home: string

  constructor(directory: string, name: string) {
    this.name = name
    this.#directory = directory
    this.#home = join(directory, 'home')
  }

  async info(): Promise<ComputerInfo> {
    const { name, labels, createdAt, running, workspace } = await this.#record()
    const state = running ? 'running' : 'stopped'
    return { name, labels, createdAt, state, user: this.#user(), ...(workspace !== undefined && { workspace }) }
  }

  async start({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted()
    await writeRecord(this.#directory, { ...(await this.#record()), running: true })
  }

  async stop({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted()
    await writeRecord(this.#directory, { ...(await this.#record()), running: false })
    await endAll(this.#directory)
  }

  async delete({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.stop(signal === undefined ? {} : { signal })
    await rm(this.#directory, { recursive: true, force: true })
  }

  async spawn(argv: readonly string[], { cwd, env = {}, tty, user, signal }: SpawnOptions = {}): Promise<Process> {
    signal?.throwIfAborted()
    const record = await this.#record()
    if (!record.running) throw fail('not_running', `computer ${this.name} is stopped`)
    if (tty !== undefined) throw fail('unsupported', 'programs get no terminal here')
    this.#checkUser(user)
    const directory = cwd === undefined ? (record.workspace ?? this.#home) : resolve(this.#home, cwd)
    await checkDirectory(directory)
    return startProcess(argv, { cwd: directory, env: { ...this.#environment(record), ...env }, signal })
  }

  async #record(): Promise<ComputerRecord> {
    return readRecord(this.#directory).catch((error: unknown) => {
      throw normalise(error).code === 'not_found' ? fail('not_found', `there is no computer ${this.name}`) : error
    })
  }

  #environment(record: ComputerRecord): Readonly<Record<string, string>> {
    const { name } = this.#user()
    return { PATH: process.env['PATH'] ?? PATH, HOME: this.#home, USER: name, LANG: 'C.UTF-8', [MARK]: this.#directory, ...record.env }
  }

  #user(): ComputerUser {
    const { username, uid, gid } = userInfo()
    return { name: username, uid, gid, home: this.#home }
  }

  #checkUser(user: string | undefined): void {
    const { name, uid, gid } = this.#user()
    if (user === undefined || [name, String(uid), `${uid}:${gid}`].includes(user)) return
    throw fail('unsupported', `programs run as ${name} here, not as ${user}`)
  }
}

async function checkDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw fail(normalise(error).code, `the directory ${path} cannot be used`, { cause: error, source: 'program' })
  })
  if (!found.isDirectory()) throw fail('conflict', `${path} is no directory`, { source: 'program' })
}
